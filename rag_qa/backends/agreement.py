"""Whether two embedders of one model give the same vectors: tried on some texts, and remembered for later processes."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from rag_qa.backends.hashing import memory_file, read_memory, write_memory
from rag_qa.protocols import Embedder, EmbedderSpec, Role
from rag_qa.version import __version__

MEMORY_NAME = "embedder-agreements.json"
# The cosine that the vectors of sentences and tokens must reach, by the number format of the other embedder: bfloat16,
# with eight bits of precision, is this far from float32 whatever computes it. With int8 both compute in float32.
NEEDED: Mapping[str, float] = {"float32": 0.9999, "int8": 0.9999, "bfloat16": 0.999}
# Short and long texts, one beyond the limit of models; signs, other scripts, characters that tokenizers drop or split.
TEXTS = (
    "eigenvectors",
    "  Which papers treat PCA as a game?\n",
    "We train a 1.5B-parameter model (lr = 3e-4, β₂ = 0.95) on C++ and F# code; it's 12 % better, p < 0.001.",
    "Größere Modelle antworten besser, 大きなモデル, большие модели; naïve Bayes — “quoted” \u200b text\u2026",
    "Retrieval finds passages, and an answer cites them. " * 12,
    "Abstention is a value. Every sentence of an answer cites a verbatim quote of a paper that was found. "
    * 40,
)


def lowest_cosine(one: Embedder, other: Embedder) -> float:
    """Return the lowest cosine between vectors of two embedders, over sentences and their tokens.

    Returns -1 if they do not see the same tokens.
    """
    return min(_lowest(one, other, role) for role in ("query", "document"))


def _lowest(one: Embedder, other: Embedder, role: Role) -> float:
    lowest = (one.encode(TEXTS, role=role) * other.encode(TEXTS, role=role)).sum(axis=1).min()
    pairs = zip(one.encode_tokens(TEXTS, role=role), other.encode_tokens(TEXTS, role=role), strict=True)
    for mine, theirs in pairs:
        if not np.array_equal(mine.spans, theirs.spans):
            return -1.0
        lowest = min(lowest, (mine.tokens * theirs.tokens).sum(axis=1).min())
    return float(lowest)


def agrees(cosine: float, spec: EmbedderSpec) -> bool:
    """Return whether the lowest cosine is as high as the number format of the other embedder allows."""
    return cosine >= NEEDED[spec.dtype]


def recall_cosine(folder: Path, spec: EmbedderSpec) -> float | None:
    """Return the lowest cosine remembered for a model folder and these versions; None if it was never tried."""
    known = read_memory(memory_file(user_cache_path, MEMORY_NAME)).get(_key(folder, spec))
    try:
        return None if known is None else float(known)
    except ValueError:
        return None


def remember_cosine(folder: Path, spec: EmbedderSpec, cosine: float) -> None:
    """Store a lowest cosine in the user's cache folder, if there is one."""
    memory = memory_file(user_cache_path, MEMORY_NAME)
    write_memory(memory, {**read_memory(memory), _key(folder, spec): f"{cosine:.8f}"})


def _key(folder: Path, spec: EmbedderSpec) -> str:
    """Return a hash of the weights, their configuration, the number format, and the versions that compute."""
    described = [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted([*folder.glob("*.json"), *folder.glob("*/config.json")])
    ]
    parts = [spec.model_dump_json(), *map(version, ("numpy", "onnxruntime")), __version__, *described]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
