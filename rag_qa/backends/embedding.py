"""Texts → unit vectors, through sentence-transformers. Knows nothing of papers or of indexes.

The model loads at the first `encode`: its description (`spec`) and its tokenizer come from files alone, so that
an index run that has nothing to embed never pays for importing torch.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rag_qa.backends.attention import attend_in_bfloat16
from rag_qa.backends.interrupts import uninterrupted
from rag_qa.backends.locating import locate_model
from rag_qa.backends.processor import has_bfloat16, let_threads_sleep
from rag_qa.errors import BackendError
from rag_qa.protocols import EmbedderSpec, Matrix, Role, TokenEncoding
from rag_qa.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer


# On two cores 8 texts at once keep what lies between two layers in the cache: 32 are a sixth slower.
CPU_BATCH, GPU_BATCH = 8, 128
# An encoding takes kilobytes until it is counted: those of 32,000 papers' sentences took 1.3 GB.
COUNT_BATCH = 4_096


class SentenceTransformerEmbedder:
    """An embedder over a sentence-transformers model in a local folder; never opens a connection."""

    def __init__(
        self, folder: Path, spec: EmbedderSpec, *, device: str = "auto", batch_size: int | None = None
    ) -> None:
        let_threads_sleep()
        self.spec = spec
        self._folder = folder
        self._device = device
        self._batch_size = batch_size
        self._lock = Lock()

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return float32 unit vectors, shape (len(texts), dimension).

        Raises ValueError for a blank text, whose vector would mean nothing.
        """
        if not texts:
            return np.empty((0, self.spec.dimension), dtype=np.float32)
        return _unit(np.asarray(self._run(texts, role, "sentence_embedding"), dtype=np.float32))

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's unit vector with those of its tokens, special ones and those of a prompt left out.

        Raises ValueError for a blank text.
        """
        outputs = self._run(texts, role, None) if texts else []
        return [self._tokens(text, role, output) for text, output in zip(texts, outputs, strict=True)]

    def _tokens(self, text: str, role: Role, output: Mapping[str, Any]) -> TokenEncoding:
        prompt = self._prompt(role)
        vectors = output["token_embeddings"][output["attention_mask"].bool()].float().cpu().numpy()
        offsets = self._tokenizer.encode(prompt + text).offsets
        if len(offsets) > len(vectors):  # cut off, before a special token at the end
            offsets = offsets[: len(vectors) - 1]
        kept = [n for n, (start, end) in enumerate(offsets) if end > max(start, len(prompt))]
        spans = np.maximum(0, np.array([offsets[n] for n in kept]) - len(prompt))
        if not kept:  # a text of characters that the tokenizer drops
            vectors, kept, spans = vectors.mean(axis=0, keepdims=True), [0], np.array([[0, len(text)]])
        whole = output["sentence_embedding"].float().cpu().numpy()
        return TokenEncoding(_unit(whole), _unit(vectors[kept]), spans)

    def _run(self, texts: Sequence[str], role: Role, output: Literal["sentence_embedding"] | None) -> Any:
        if any(not text.strip() for text in texts):
            raise ValueError("a blank text cannot be embedded; leave it out")
        with self._lock:
            with uninterrupted():
                model = self._model
            return model.encode(
                list(texts),
                prompt=self._prompt(role) or None,
                batch_size=self._batch_size or (CPU_BATCH if model.device.type == "cpu" else GPU_BATCH),
                output_value=output,
                show_progress_bar=False,
            )

    def _prompt(self, role: Role) -> str:
        return self.spec.query_prompt if role == "query" else self.spec.document_prompt

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's length in tokens, special tokens included and nothing truncated."""
        return [
            len(encoding)
            for start in range(0, len(texts), COUNT_BATCH)
            for encoding in self._tokenizer.encode_batch_fast(list(texts[start : start + COUNT_BATCH]))
        ]

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _model(self) -> "SentenceTransformer":
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model = SentenceTransformer(
                str(self._folder),
                device=None if self._device == "auto" else self._device,
                local_files_only=True,
                model_kwargs={"dtype": getattr(torch, self.spec.dtype)},
            )
            if self.spec.dtype == "bfloat16" and model.device.type == "cpu":
                attend_in_bfloat16(model)
        except (OSError, ValueError, RuntimeError) as exc:
            raise BackendError(
                f"the embedder in {self._folder} cannot be loaded: {exc}; fetch it again with "
                f"`rag-qa models pull {self.spec.name}`"
            ) from exc
        model.max_seq_length = self.spec.max_tokens
        return model


def _unit(vectors: Matrix) -> Matrix:
    """Return the vectors with length one; a norm that the model takes in bfloat16 is off by up to .003."""
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def open_embedder(settings: Settings) -> SentenceTransformerEmbedder:
    """Find the embedder that the settings name and describe it, without loading it."""
    located = locate_model(settings.embedder, kind="embedder")
    dtype = settings.embedder_dtype
    if dtype == "auto":
        dtype = "bfloat16" if has_bfloat16() else "float32"
    entry = located.entry
    prompts = _read_json(located.path / "config_sentence_transformers.json").get("prompts") or {}
    spec = EmbedderSpec(
        name=entry.name if entry else located.path.name,
        revision=(entry.revision if entry else None) or "unpinned",
        weights_sha256=located.sha256,
        dtype=dtype,
        dimension=_dimension(located.path),
        max_tokens=_max_tokens(located.path),
        query_prompt=(entry.query_prompt if entry else "") or prompts.get("query") or "",
        document_prompt=(entry.document_prompt if entry else "") or prompts.get("document") or "",
    )
    return SentenceTransformerEmbedder(
        located.path, spec, device=settings.device, batch_size=settings.embed_batch
    )


def open_plain_model(settings: Settings) -> "SentenceTransformer":
    """Load the embedder that the settings name as the library does by default, in float32: to measure against."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        str(locate_model(settings.embedder, kind="embedder").path), local_files_only=True
    )


def _dimension(folder: Path) -> int:
    """Return the dimension that the last module with one gives (a Dense layer comes after the pooling)."""
    dimension = None
    for module in _read_json(folder / "modules.json", default=[]):
        config = _read_json(folder / module["path"] / "config.json") if module["path"] else {}
        dimension = config.get("out_features") or config.get("word_embedding_dimension") or dimension
    dimension = dimension or _read_json(folder / "config.json").get("hidden_size")
    if not isinstance(dimension, int):
        raise BackendError(f"{folder} is no sentence-transformers model; see `rag-qa models list`")
    return dimension


def _max_tokens(folder: Path) -> int:
    limit = _read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    limit = limit or _read_json(folder / "config.json").get("max_position_embeddings") or 512
    return int(limit)


def _read_json(path: Path, default: Any = None) -> Any:
    if not path.is_file():
        return {} if default is None else default
    return json.loads(path.read_text(encoding="utf-8"))
