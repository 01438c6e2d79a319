"""Query and texts → scores, through a cross-encoder of sentence-transformers. Knows nothing of papers.

The model loads at the first `score`, from local files alone.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rag_qa.backends.cross_encoder import load_cross_encoder
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

# What the settings call the language model itself.
LANGUAGE_MODEL = "model"
MAX_TOKENS = 512
BATCH = 16


class CrossEncoderReranker:
    """A reranker over a cross-encoder in a local folder; never opens a connection."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        device: str = "auto",
        batch_size: int = BATCH,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        """`max_tokens` of query and text together are read, the text cut off first; less where the model takes less."""
        let_threads_sleep()
        self._folder = folder
        self._name = name
        self._device = device
        self._batch_size = batch_size
        self._max_tokens = max_tokens
        self._lock = Lock()

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the model's logit for each text, one caller at a time.

        Raises ValueError for a blank query or text.
        """
        if not query.strip() or any(not text.strip() for text in texts):
            raise ValueError("a blank query or text cannot be scored; leave it out")
        if not texts:
            return []
        from torch.nn import Identity

        with self._lock:
            with uninterrupted():
                model = self._model
            scores = model.predict(
                [(query, text) for text in texts],
                batch_size=self._batch_size,
                # Beyond a logit of 17 a sigmoid in float32 is 1, and good texts would tie.
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
                f"{self._folder} gives {model.num_labels} scores a text, not one; choose a reranker of "
                "`rag-qa models list`"
            )
        model.max_seq_length = min(self._max_tokens, model.max_seq_length or self._max_tokens)
        return model


def open_reranker(settings: Settings, generator: Generator | None = None) -> Reranker | None:
    """Find the reranker that the settings name, without loading it; None where they name none.

    For "model" a generator of llama.cpp that is open already lends its weights.
    """
    if settings.reranker is None:
        return None
    if settings.reranker == LANGUAGE_MODEL:
        lent = generator if isinstance(generator, LlamaGenerator) else open_generator(settings)
        return LikelihoodReranker(lent)
    located = locate_model(settings.reranker, kind="reranker")
    return CrossEncoderReranker(located.path, name=located.name, device=settings.device)
