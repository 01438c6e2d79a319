"""Sentence and evidence → verdict, by a cross-encoder for natural-language inference.

The model is in a local folder and loads at the first verdict. Its configuration must name its labels: one begins with
"entail", and one that begins with "contra" is a contradiction.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rag_qa.backends.cross_encoder import load_cross_encoder
from rag_qa.backends.forks import refuse_after_fork
from rag_qa.backends.interrupts import uninterrupted
from rag_qa.backends.processor import let_threads_sleep
from rag_qa.errors import BackendError, ModelNotFoundError
from rag_qa.settings import Settings
from rag_qa.types import Verdict, VerdictLabel

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

SUPPORTED, PARTIAL = 0.5, 0.25


class CrossEncoderJudge:
    """Judges by the probability of entailment: the highest over each piece of evidence, and over all of them joined."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        let_threads_sleep()
        self._folder = folder
        self._device = device
        self._lock = Lock()

    def judge(
        self, sentence: str, evidence: Sequence[str], *, context: Sequence[str] = (), question: str = ""
    ) -> Verdict:
        """Return the verdict; its reason names a contradiction. Raises BackendError if the model cannot be used."""
        heading = "".join(f"{text}: " for text in dict.fromkeys(context))
        premises = [f"{heading}{text}" for text in evidence if text.strip()]
        if not premises or not sentence.strip():
            return Verdict(label="unsupported", probability=0.0, reasons=("nothing is cited",))
        if len(premises) > 1:
            premises.append(" ".join(premises))
        refuse_after_fork("torch")
        with self._lock:
            with uninterrupted():
                model = self._model
            scores = model.predict(
                [(premise, sentence) for premise in premises], apply_softmax=True, show_progress_bar=False
            )
        best = max(np.asarray(scores, dtype=np.float64), key=lambda row: float(row[self._entailing]))
        probability = float(best[self._entailing])
        label: VerdictLabel = "unsupported"
        if probability >= PARTIAL:
            label = "supported" if probability >= SUPPORTED else "partial"
        contradicted = self._contradicting is not None and best[self._contradicting] > max(
            probability, SUPPORTED
        )
        reasons = ("the entailment model reads the source as the contrary",) if contradicted else ()
        return Verdict(label=label, probability=probability, reasons=reasons)

    @cached_property
    def _entailing(self) -> int:
        found = self._label("entail")
        if found is None:
            raise BackendError(
                f"the model in {self._folder} has no label that begins with “entail”; choose a model for "
                "natural-language inference, or name its labels in id2label of its config.json"
            )
        return found

    @cached_property
    def _contradicting(self) -> int | None:
        return self._label("contra")

    def _label(self, beginning: str) -> int | None:
        labels: dict[int, str] = getattr(self._model.config, "id2label", {})
        return next((n for n, name in labels.items() if name.casefold().startswith(beginning)), None)

    @cached_property
    def _model(self) -> "CrossEncoder":
        cure = "name the folder of a sentence-transformers cross-encoder in RAG_QA_ENTAILMENT"
        return load_cross_encoder(self._folder, self._device, what="entailment model", cure=cure)


def open_entailment(settings: Settings) -> CrossEncoderJudge | None:
    """Return the judge that the settings name, not loaded yet; None if they name none. Raises ModelNotFoundError."""
    if settings.entailment is None:
        return None
    folder = settings.entailment.expanduser()
    if not (folder / "config.json").is_file():
        raise ModelNotFoundError(
            f"{folder} holds no cross-encoder; name the folder of one in RAG_QA_ENTAILMENT, or unset it"
        )
    return CrossEncoderJudge(folder, device=settings.device)
