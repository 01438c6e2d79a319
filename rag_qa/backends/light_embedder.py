"""Texts → vectors of length 1, without torch, for embedders of BERT's kind: ready at once in a fresh process."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag_qa.backends.bert import Bert
from rag_qa.backends.configs import read_config
from rag_qa.backends.tokens import Tokens, encoding_of, prompt_for, refuse_blanks, unit
from rag_qa.protocols import EmbedderSpec, Matrix, Role, TokenEncoding

# The modules that a model may have; vectors are scaled to length 1 in any case.
MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
# The poolings computed here: their names in older files, and in newer ones.
POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


class LightEmbedder:
    """An embedder over a model folder of sentence-transformers, of BERT's kind. Any number of threads may use it."""

    def __init__(self, folder: Path, spec: EmbedderSpec, *, eight_bits: bool = False) -> None:
        """Map the model. Raises ValueError for another kind of model, OSError if a file is missing.

        With `eight_bits`, products are computed in 8 bits; see `Bert`.
        """
        self.spec = spec
        self._pooling = _pooling(folder)
        self._bert = Bert(folder, eight_bits=eight_bits)
        self._tokens = Tokens(folder, spec.max_tokens)

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return vectors, shape (n, d) float32, rows of length 1. Raises ValueError for a blank text."""
        if not texts:
            return np.empty((0, self.spec.dimension), dtype=np.float32)
        return unit(np.stack([self._pooled(vectors) for _, vectors in self._run(texts, role)]))

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's vector with those of its tokens. Raises ValueError for a blank text."""
        prompt = prompt_for(self.spec, role)
        return [
            encoding_of(text, prompt, offsets, vectors, self._pooled(vectors))
            for text, (offsets, vectors) in zip(texts, self._run(texts, role), strict=True)
        ]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's length in tokens, special tokens included and nothing cut."""
        return self._tokens.count(texts)

    def _run(self, texts: Sequence[str], role: Role) -> list[tuple[list[tuple[int, int]], Matrix]]:
        """Return the offsets of each text's tokens, and their vectors."""
        refuse_blanks(texts)
        prompt = prompt_for(self.spec, role)
        read = self._tokens.read([prompt + text for text in texts])
        vectors = self._bert([encoding.ids for encoding in read])
        return [(encoding.offsets, own) for encoding, own in zip(read, vectors, strict=True)]

    def _pooled(self, vectors: Matrix) -> Matrix:
        pooled: Matrix = vectors[0] if self._pooling == "cls" else vectors.mean(axis=0)
        return pooled


def _pooling(folder: Path) -> str:
    """Return the pooling, "mean" or "cls" (the first token). Raises ValueError for any other model."""
    modules = json.loads((folder / "modules.json").read_text("utf-8"))
    names = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
    if names not in MODULES:
        raise ValueError(f"its modules are {', '.join(names)}")
    if read_config(folder / "sentence_bert_config.json").get("do_lower_case"):
        raise ValueError("it lowercases texts before tokenising them")
    config = read_config(folder / modules[1]["path"] / "config.json")
    modes = [name for name, on in config.items() if name.startswith("pooling_mode_") and on is True]
    mode = config.get("pooling_mode") or (POOLINGS.get(modes[0]) if len(modes) == 1 else None)
    if mode not in POOLINGS.values() or not config.get("include_prompt", True):
        raise ValueError("its pooling is neither the mean nor the first token")
    return str(mode)
