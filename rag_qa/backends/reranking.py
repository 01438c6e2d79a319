"""Query and texts → scores, by a cross-encoder of sentence-transformers. Knows nothing of papers.

The model loads at the first `score`, from local files only.
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
from rag_qa.backends.likelihood import LikelihoodReranker
from rag_qa.backends.llama import LlamaGenerator, open_generator
from rag_qa.backends.locating import locate_model
from rag_qa.backends.processor import let_threads_sleep
from rag_qa.errors import BackendError
from rag_qa.protocols import Generator, Reranker
from rag_qa.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# The name in the settings for the language model itself.
LANGUAGE_MODEL = "model"
MAX_TOKENS = 512
BATCH = 16


class CrossEncoderReranker:
    """A reranker over a cross-encoder in a local folder; it never opens a connection."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        device: str = "auto",
        batch_size: int = BATCH,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        """Take a model folder. Query and text together are cut to `max_tokens` or the model's own limit."""
        let_threads_sleep()
        self._folder = folder
        self._name = name
        self._device = device
        self._batch_size = batch_size
        self._max_tokens = max_tokens
        self._lock = Lock()

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the model's logit for each text, one caller at a time.

        Raises ValueError for a blank query or text, BackendError if the model cannot be loaded.
        """
        if not query.strip() or any(not text.strip() for text in texts):
            raise ValueError("a blank query or text cannot be scored; leave it out")
        if not texts:
            return []
        refuse_after_fork("torch")
        from torch.nn import Identity

        with self._lock:
            with uninterrupted():
                model = self._model
            scores = model.predict(
                [(query, text) for text in texts],
                batch_size=self._batch_size,
                # A sigmoid in float32 is 1 beyond a logit of 17, so the best texts would tie.
                activation_fn=Identity(),
                show_progress_bar=False,
            )
        return [float(score) for score in np.asarray(scores, dtype=np.float32)]

    @cached_property
    def _model(self) -> "CrossEncoder":
        cure = f"fetch it again with `rag-qa models pull {self._name}`"
        model = load_cross_encoder(self._folder, self._device, what="reranker", cure=cure)
        if model.num_labels != 1:
            raise BackendError(
                f"{self._folder} gives {model.num_labels} scores for a text, not one; choose a reranker of "
                "`rag-qa models list`"
            )
        model.max_seq_length = min(self._max_tokens, model.max_seq_length or self._max_tokens)
        return model


def open_reranker(settings: Settings, generator: Generator | None = None) -> Reranker | None:
    """Return the reranker that the settings name, not loaded yet; None if they name none.

    "model" is the language model: it shares the weights of `generator`, if that runs in llama.cpp. Raises
    ModelNotFoundError, ModelHashError.
    """
    if settings.reranker is None:
        return None
    if settings.reranker == LANGUAGE_MODEL:
        lent = generator if isinstance(generator, LlamaGenerator) else open_generator(settings)
        return LikelihoodReranker(lent)
    located = locate_model(settings.reranker, kind="reranker")
    return CrossEncoderReranker(located.path, name=located.name, device=settings.device)
