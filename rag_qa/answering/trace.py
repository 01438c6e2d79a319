"""The record of how an answer is made, which goes into the answer."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from rag_qa.answering.evidence.answerability import Decision
from rag_qa.index.manifest import Manifest
from rag_qa.protocols import Generator
from rag_qa.settings import Settings
from rag_qa.types import ModelInput
from rag_qa.version import __version__

ANSWER_VERSION = 3


class Trace:
    """Collects the timings (seconds per stage), provenance, decision and model input of one answer."""

    def __init__(self, settings: Settings, manifest: Manifest) -> None:
        self.decision: Decision | None = None
        # Why there is no answer, if the decision was to answer.
        self.unsupported: str | None = None
        # Ids of the papers found that hold text which addresses its reader.
        self.addressed: Collection[str] = ()
        self.timings: dict[str, float] = {}
        self.model_input: ModelInput | None = None
        self.provenance: dict[str, Any] = {
            "answer_version": ANSWER_VERSION,
            "rag_qa": __version__,
            "index_generation": manifest.generation,
            "embedder": manifest.embedder.model_dump(),
            "settings": settings.model_dump(mode="json"),
            "generator": None,
            "prompt_tokens": 0,
            "evidence_dropped": 0,
        }
        self._started = time.perf_counter()

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time spent in the `with` block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[stage] = self.timings.get(stage, 0.0) + time.perf_counter() - start

    def note_generation(
        self, generator: Generator, *, given: ModelInput, prompt_sha256: str, tokens: int
    ) -> None:
        """Record that the language model ran, and on what."""
        self.model_input = given
        self.provenance |= {
            "generator": generator.spec.model_dump(),
            "prompt_sha256": prompt_sha256,
            "prompt_tokens": tokens,
        }

    @property
    def why_not(self) -> str | None:
        """Why there is no answer; None if nothing was decided."""
        return self.unsupported or (self.decision.why_not if self.decision else None)

    def finish(self) -> dict[str, float]:
        """Return the timings in seconds, with `total`."""
        return {**self.timings, "total": time.perf_counter() - self._started}
