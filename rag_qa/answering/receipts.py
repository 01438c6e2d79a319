"""What an answer says about how it was made: provenance and timings, gathered while it is made."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rag_qa.index.manifest import Manifest
from rag_qa.protocols import Generator
from rag_qa.settings import Settings
from rag_qa.version import __version__

ANSWER_VERSION = 1


class Receipt:
    """Gathers the timings (seconds a stage) and the provenance of one answer.

    `declined` says why the language model gave none, where it said so.
    """

    def __init__(self, settings: Settings, manifest: Manifest) -> None:
        self.declined: str | None = None
        self.timings: dict[str, float] = {}
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
        """Add the time inside to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[stage] = self.timings.get(stage, 0.0) + time.perf_counter() - start

    def note_generation(self, generator: Generator, *, prompt_sha256: str, tokens: int, dropped: int) -> None:
        """Record that the language model ran, on what, and how much evidence its prompt leaves out."""
        self.provenance |= {
            "generator": generator.spec.model_dump(),
            "prompt_sha256": prompt_sha256,
            "prompt_tokens": tokens,
            "evidence_dropped": dropped,
        }

    def finish(self) -> dict[str, float]:
        """Return the timings with the total."""
        return {**self.timings, "total": time.perf_counter() - self._started}
