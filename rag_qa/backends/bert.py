"""BERT on ONNX Runtime: tokens → vectors, from memory-mapped weights. Knows nothing of texts.

It is ready in .3 s, where importing torch takes seconds, and is faster than torch on processors without bfloat16. Only
models that differ from BERT in nothing but the first position are computed here; the others are left to
sentence-transformers. Architecture: Devlin et al., BERT, 2019, as in transformers' modeling_bert.py.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_qa.backends.bert_graph import NORM, PARTS, BertGraph, Shape, layer_name
from rag_qa.backends.processor import physical_cores
from rag_qa.backends.weights import map_weights
from rag_qa.protocols import Matrix

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

# Model types with the same computation. The first position is the id of the padding token plus this number, or 0 for
# None.
KINDS: Mapping[str, int | None] = {"bert": None, "roberta": 1, "xlm-roberta": 1}
# Values that newer files leave out, as in transformers.
DEFAULTS = {"num_attention_heads": 12, "num_hidden_layers": 12, "layer_norm_eps": 1e-12, "pad_token_id": 1}
# Tokens that a core computes at once, padding included: so the data between two layers fits in its cache.
TOKENS_AT_ONCE = 256


class Bert:
    """An encoder of BERT's kind in a local folder. Any number of threads may use it, also after a fork."""

    def __init__(self, folder: Path, *, eight_bits: bool = False) -> None:
        """Map the weights. Raises ValueError for another kind of model, OSError if a file is missing.

        With `eight_bits`, products are computed in 8 bits: half as fast again with AVX2, twice as fast with VNNI.
        """
        config = DEFAULTS | json.loads((folder / "config.json").read_text("utf-8"))
        if why := _why_not(config):
            raise ValueError(why)
        self._weights = map_weights(folder / "model.safetensors")
        self._shape = Shape(
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            epsilon=float(config["layer_norm_eps"]),
        )
        self._eight_bits = eight_bits
        beyond = KINDS[config["model_type"]]
        self._first = 0 if beyond is None else int(config["pad_token_id"]) + beyond
        if missing := set(_names(self._shape.layers)) - self._weights.keys():
            raise ValueError(f"float32 weights are missing, such as {min(missing)}")
        self._sessions: dict[int, InferenceSession] = {}
        self._outside: list[Any] = []
        self._lock = Lock()

    def __call__(self, texts: Sequence[Sequence[int]]) -> list[Matrix]:
        """Return the vectors of each text's tokens, shape (t, d); every text must have a token.

        The texts beside it change a vector by no more than rounding in 32 bits, and not at all in 8.
        """
        groups = list(_groups([len(text) for text in texts], alone=self._eight_bits))
        encoded = self._encode_all([[texts[number] for number in group] for group in groups])
        vectors: list[Matrix] = [np.empty(0, np.float32)] * len(texts)
        for group, states in zip(groups, encoded, strict=True):
            for number, own in zip(group, states, strict=True):
                vectors[number] = own
        return vectors

    def _encode_all(self, groups: Sequence[Sequence[Sequence[int]]]) -> list[list[Matrix]]:
        """Return the vectors of each group of texts. Each core computes groups of its own.

        That is faster than to share the work within a group (in 8 bits by a fifth), since no core waits for another.
        """
        workers = min(_threads(), len(groups))
        if workers <= 1:
            return list(map(self._encode, groups))
        # Not kept for the next call: threads do not survive a fork.
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(self._encode, groups))

    def _encode(self, texts: Sequence[Sequence[int]]) -> list[Matrix]:
        lengths = np.array([len(text) for text in texts], dtype=np.int32)
        tokens = np.zeros((len(texts), lengths.max()), dtype=np.int64)
        for row, text in zip(tokens, texts, strict=True):
            row[: len(text)] = text
        w = self._weights
        positions = w[_POSITIONS][self._first : self._first + tokens.shape[1]]
        given = {"embeddings": w[_WORDS][tokens] + (positions + w[_TYPES][0]), "lengths": lengths}
        (states,) = self._session().run(None, given)
        # Copies, so that one text's vectors do not keep those of all.
        return [own[:length].copy() for own, length in zip(states, lengths, strict=True)]

    def _session(self) -> "InferenceSession":
        """Return this process's session: at a fork, another thread may have held the locks of the first one's."""
        with self._lock:
            if os.getpid() not in self._sessions:
                self._sessions[os.getpid()] = self._open()
            return self._sessions[os.getpid()]

    def _open(self) -> "InferenceSession":
        # Builds of late 2026 send usage data to their makers unless this says otherwise when they are imported.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        graph = BertGraph(self._weights, self._shape, eight_bits=self._eight_bits)
        # The session reads the weights where they are.
        self._outside = [
            onnxruntime.OrtValue.ortvalue_from_numpy(weight) for weight in graph.weights.values()
        ]
        options.add_external_initializers(list(graph.weights), self._outside)
        return onnxruntime.InferenceSession(graph.model, options, providers=["CPUExecutionProvider"])


_WORDS, _POSITIONS, _TYPES = (
    f"embeddings.{name}_embeddings.weight" for name in ("word", "position", "token_type")
)


def _names(layers: int) -> list[str]:
    """Return the names of the weights that are read."""
    parts = [NORM, *(f"{layer_name(number)}.{part}" for number in range(layers) for part in PARTS)]
    return [_WORDS, _POSITIONS, _TYPES, *(f"{part}.{kind}" for part in parts for kind in ("weight", "bias"))]


def _why_not(config: Mapping[str, Any]) -> str | None:
    """Return why a model cannot be computed here, or None."""
    kind = config.get("model_type")
    if kind not in KINDS:
        return f"its kind is {kind}, not one of {', '.join(KINDS)}"
    for name, wanted in (("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if config.get(name, wanted) != wanted:
            return f"its {name} is {config[name]}, not {wanted}"
    return "it is a decoder" if config.get("is_decoder") else None


def _threads() -> int:
    """Return how many threads compute. OMP_NUM_THREADS may hold a number for each level of nesting."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(wanted) if wanted.isdecimal() and int(wanted) else physical_cores()


def _groups(lengths: Sequence[int], *, alone: bool = False) -> Iterator[list[int]]:
    """Yield the numbers of texts to compute at once, longest first, so that little is padded; or each text alone.

    What is computed at once in 8 bits has one scale, so that texts would change each other's vectors.
    """
    numbers = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(numbers):
        count = 1 if alone else max(1, TOKENS_AT_ONCE // lengths[numbers[start]])
        yield numbers[start : start + count]
        start += count
