"""BERT in numpy: tokens → vectors, from memory-mapped weights. Knows nothing of texts.

A fresh process spends its time on imports: sentence-transformers takes seconds, and numpy is imported anyway. ONNX
runtime computes as fast, but needs 0.5 to 1 s to import and read a graph, and torch.onnx.export another 3 to 25 s to
make the graph. Only models that differ from BERT in nothing but the first position are computed here; the others are
left to sentence-transformers. Architecture: Devlin et al., BERT, 2019, as in transformers' modeling_bert.py.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_qa.backends.weights import map_weights
from rag_qa.protocols import Matrix

# Model types with the same computation. The first position is the id of the padding token plus this number, or 0 for
# None.
KINDS: Mapping[str, int | None] = {"bert": None, "roberta": 1, "xlm-roberta": 1}
# Values that newer files leave out, as in transformers.
DEFAULTS = {"num_attention_heads": 12, "num_hidden_layers": 12, "layer_norm_eps": 1e-12, "pad_token_id": 1}
# Tokens computed at once: so the data between two layers fits in the processor's cache.
TOKENS_AT_ONCE = 512
# erf to 1.5e-7, the precision of float32: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
ERF_SLOPE = np.float32(0.3275911)
ERF_FACTORS = tuple(map(np.float32, (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)))
HALF, SQRT_HALF = np.float32(0.5), np.float32(0.5**0.5)


class Bert:
    """An encoder of BERT's kind in a local folder."""

    def __init__(self, folder: Path) -> None:
        """Map the weights. Raises ValueError for another kind of model, OSError if a file is missing."""
        config = DEFAULTS | json.loads((folder / "config.json").read_text("utf-8"))
        if why := _why_not(config):
            raise ValueError(why)
        self._weights = map_weights(folder / "model.safetensors")
        self._heads = int(config["num_attention_heads"])
        self._layers = int(config["num_hidden_layers"])
        self._epsilon = np.float32(config["layer_norm_eps"])
        beyond = KINDS[config["model_type"]]
        self._first = 0 if beyond is None else int(config["pad_token_id"]) + beyond
        wanted = {*_EMBEDDINGS, *(f"{_layer(self._layers - 1)}.{name}" for name in _PARTS)}
        if missing := wanted - self._weights.keys():
            raise ValueError(f"float32 weights are missing, such as {min(missing)}")

    def __call__(self, texts: Sequence[Sequence[int]]) -> list[Matrix]:
        """Return the vectors of each text's tokens, shape (t, d); every text must have a token.

        The texts follow each other without padding, so no vector depends on the other texts.
        """
        vectors: list[Matrix] = []
        for group in _groups(texts):
            ends = np.cumsum([len(text) for text in group])
            states = self._encode(np.concatenate(group), ends)
            vectors += np.split(states, ends[:-1])
        return vectors

    def _encode(self, tokens: NDArray[np.int64], ends: NDArray[np.int64]) -> Matrix:
        starts = np.concatenate(([0], ends[:-1]))
        positions = np.arange(len(tokens)) - np.repeat(starts, ends - starts) + self._first
        w = self._weights
        states = w[_WORDS][tokens] + w[_POSITIONS][positions] + w[_TYPES][0]
        states = self._normalised(states, "embeddings.LayerNorm")
        spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
        for number in range(self._layers):
            layer = _layer(number)
            states = self._normalised(
                self._attended(states, spans, f"{layer}.attention") + states,
                f"{layer}.attention.output.LayerNorm",
            )
            inner = gelu(self._linear(states, f"{layer}.intermediate.dense"))
            states = self._normalised(
                self._linear(inner, f"{layer}.output.dense") + states, f"{layer}.output.LayerNorm"
            )
        return states

    def _attended(self, states: Matrix, spans: Sequence[tuple[int, int]], part: str) -> Matrix:
        """Return the attention of each token to its text: softmax(QKᵀ/√size)·V of every head, projected."""
        query, key, value = (
            self._linear(states, f"{part}.self.{name}") for name in ("query", "key", "value")
        )
        query *= np.float32((states.shape[1] // self._heads) ** -0.5)
        gathered = np.empty_like(states)
        for start, end in spans:
            q, k, v = (self._by_head(matrix[start:end]) for matrix in (query, key, value))
            scores = q @ k.transpose(0, 2, 1)
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            gathered[start:end] = (scores @ v).transpose(1, 0, 2).reshape(end - start, -1)
        return self._linear(gathered, f"{part}.output.dense")

    def _by_head(self, matrix: Matrix) -> Matrix:
        """Shape (tokens, dimension) → (heads, tokens, size)."""
        return matrix.reshape(len(matrix), self._heads, -1).transpose(1, 0, 2)

    def _linear(self, states: Matrix, part: str) -> Matrix:
        result: Matrix = states @ self._weights[f"{part}.weight"].T
        result += self._weights[f"{part}.bias"]
        return result

    def _normalised(self, states: Matrix, part: str) -> Matrix:
        """Apply layer normalisation to the rows: mean 0 and variance 1, learned scale and bias. Changes `states`."""
        states -= states.mean(axis=-1, keepdims=True)
        states /= np.sqrt(np.square(states).mean(axis=-1, keepdims=True) + self._epsilon)
        states *= self._weights[f"{part}.weight"]
        states += self._weights[f"{part}.bias"]
        return states


def gelu(x: Matrix) -> Matrix:
    """Return x·(1 + erf(x/√2))/2 (Hendrycks & Gimpel, GELU, 2016), the same shape as x."""
    distance = np.abs(x)
    distance *= SQRT_HALF
    t = 1 / (1 + ERF_SLOPE * distance)
    rest = np.zeros_like(x)
    for factor in ERF_FACTORS:
        rest += factor
        rest *= t
    np.square(distance, out=distance)
    rest *= np.exp(-distance)
    result = np.copysign(1 - rest, x)
    result += 1
    result *= x
    result *= HALF
    return result


_WORDS, _POSITIONS, _TYPES = (
    f"embeddings.{name}_embeddings.weight" for name in ("word", "position", "token_type")
)
_EMBEDDINGS = (_WORDS, _POSITIONS, _TYPES, "embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias")
_PARTS = tuple(
    f"{part}.{kind}"
    for part in (
        *(f"attention.self.{name}" for name in ("query", "key", "value")),
        *("attention.output.dense", "attention.output.LayerNorm"),
        *("intermediate.dense", "output.dense", "output.LayerNorm"),
    )
    for kind in ("weight", "bias")
)


def _layer(number: int) -> str:
    return f"encoder.layer.{number}"


def _why_not(config: Mapping[str, Any]) -> str | None:
    """Return why a model cannot be computed here, or None."""
    kind = config.get("model_type")
    if kind not in KINDS:
        return f"its kind is {kind}, not one of {', '.join(KINDS)}"
    for name, wanted in (("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if config.get(name, wanted) != wanted:
            return f"its {name} is {config[name]}, not {wanted}"
    return "it is a decoder" if config.get("is_decoder") else None


def _groups(texts: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    """Return the texts, in their order, in groups of up to `TOKENS_AT_ONCE` tokens."""
    groups: list[list[Sequence[int]]] = []
    room = 0
    for text in texts:
        if len(text) > room:
            groups.append([])
            room = TOKENS_AT_ONCE
        groups[-1].append(text)
        room -= len(text)
    return groups
