"""Texts → vectors of length 1, by sentence-transformers. Knows nothing of papers or indexes.

The model loads at the first `encode`. The tokenizer is read from its file without torch, so an index run that has
nothing to embed never imports torch.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from rag_qa.backends.attention import attend_in_bfloat16
from rag_qa.backends.forks import refuse_after_fork
from rag_qa.backends.interrupts import uninterrupted
from rag_qa.backends.loading import translated_loading_errors
from rag_qa.backends.processor import let_threads_sleep
from rag_qa.backends.tokens import Tokens, encoding_of, prompt_for, refuse_blanks, unit
from rag_qa.protocols import EmbedderSpec, Matrix, Role, TokenEncoding

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# With 8 texts at once the data between two layers fits in the cache of two cores; 32 are a sixth slower.
CPU_BATCH, GPU_BATCH = 8, 128
# A number format that sentence-transformers does not compute; it uses float32.
INT8: Final = "int8"


class SentenceTransformerEmbedder:
    """An embedder over a sentence-transformers model in a local folder; it never opens a connection."""

    def __init__(
        self, folder: Path, spec: EmbedderSpec, *, device: str = "auto", batch_size: int | None = None
    ) -> None:
        let_threads_sleep()
        self.spec = spec
        self._folder = folder
        self._tokenizer = Tokens(folder, spec.max_tokens)
        self._device = device
        self._batch_size = batch_size
        self._lock = Lock()

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return vectors, shape (n, d) float32, rows of length 1.

        Raises ValueError for a blank text, BackendError if the model cannot be loaded.
        """
        if not texts:
            return np.empty((0, self.spec.dimension), dtype=np.float32)
        return unit(np.asarray(self._run(texts, role, "sentence_embedding"), dtype=np.float32))

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's vector with those of its tokens. Raises like `encode`."""
        outputs = self._run(texts, role, None) if texts else []
        return [self._tokens(text, role, output) for text, output in zip(texts, outputs, strict=True)]

    def _tokens(self, text: str, role: Role, output: Mapping[str, Any]) -> TokenEncoding:
        vectors = output["token_embeddings"][output["attention_mask"].bool()].float().cpu().numpy()
        whole = output["sentence_embedding"].float().cpu().numpy()
        prompt = prompt_for(self.spec, role)
        return encoding_of(text, prompt, self._tokenizer.read([prompt + text])[0].offsets, vectors, whole)

    def _run(self, texts: Sequence[str], role: Role, output: Literal["sentence_embedding"] | None) -> Any:
        refuse_blanks(texts)
        refuse_after_fork("torch")
        with self._lock:
            with uninterrupted():
                model = self._model
            return model.encode(
                list(texts),
                prompt=prompt_for(self.spec, role) or None,
                batch_size=self._batch_size or (CPU_BATCH if model.device.type == "cpu" else GPU_BATCH),
                output_value=output,
                show_progress_bar=False,
            )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's length in tokens, special tokens included and nothing cut."""
        return self._tokenizer.count(texts)

    @cached_property
    def _model(self) -> "SentenceTransformer":
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        cure = f"fetch it again with `rag-qa models pull {self.spec.name}`, or choose another with RAG_QA_EMBEDDER"
        with translated_loading_errors("embedder", self._folder, cure):
            model = SentenceTransformer(
                str(self._folder),
                device=None if self._device == "auto" else self._device,
                local_files_only=True,
                model_kwargs={
                    "dtype": torch.float32 if self.spec.dtype == INT8 else getattr(torch, self.spec.dtype)
                },
            )
            if self.spec.dtype == "bfloat16" and model.device.type == "cpu":
                attend_in_bfloat16(model)
        model.max_seq_length = self.spec.max_tokens
        return model
