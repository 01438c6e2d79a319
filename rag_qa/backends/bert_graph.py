"""BERT's weights → a graph for ONNX Runtime, in 32 or in 8 bits.

ONNX Runtime has whole operations for attention, for "add and normalise" and for "add and GELU", which save it from
writing the data between them; see ContribOperators.md in its documentation. The graph is made here with `onnx`, because
torch's exporter takes seconds and needs torch.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_qa.protocols import Matrix

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

NORM = "embeddings.LayerNorm"
ATTENTION = tuple(f"attention.self.{name}" for name in ("query", "key", "value"))
PARTS = (
    *ATTENTION,
    *("attention.output.dense", "intermediate.dense", "output.dense"),
    *("attention.output.LayerNorm", "output.LayerNorm"),
)
# The version of ONNX that first has LayerNormalization, and the set of ONNX Runtime's own operations.
OPSET, OWN = 17, "com.microsoft"
STANDARD = ("LayerNormalization", "MatMul", "Mul")
# Version of the file format, which ONNX Runtime has read since 2022.
IR_VERSION = 8
# Weights have 7 of the 8 bits: with AVX2 a sum of two products of 8 bits would overflow.
LARGEST = 63
# The largest value below 0 that GELU gives, without its sign.
GELU_BELOW = 0.17
# How much of the difference between units is moved into the weights (alpha in SmoothQuant). Of .5, .75 and 1, this one
# has the least error of cosines: .0068, in place of .0084.
MOVED = 0.75


class Shape(NamedTuple):
    """What a model's configuration says of its computation."""

    layers: int
    heads: int
    epsilon: float


def layer_name(number: int) -> str:
    """Return the beginning of a layer's names in transformers."""
    return f"encoder.layer.{number}"


class BertGraph:
    """The graph, as an ONNX model without weights (`model`), and the weights that it names (`weights`).

    It takes `embeddings`, shape (texts, tokens, d), which are sums of the vectors of words, positions and types, and
    the `lengths` of the texts in tokens; it gives the vectors of the last layer, shape (texts, tokens, d). In 8 bits it
    takes texts of one length only.
    """

    def __init__(self, weights: Mapping[str, Matrix], shape: Shape, *, eight_bits: bool) -> None:
        """With `eight_bits`, matrices are rounded by columns, and what they are multiplied with as a whole."""
        self.weights: dict[str, NDArray[Any]] = {}
        self._given = weights
        self._shape = shape
        self._eight_bits = eight_bits
        self._nodes: list[NodeProto] = []
        self.model = self._build()

    def _build(self) -> bytes:
        from onnx import TensorProto, helper

        states = self._node("LayerNormalization", ["embeddings", *self._both(NORM)], axis=-1)
        for layer in map(layer_name, range(self._shape.layers)):
            gathered = self._attention(states, layer)
            attended = self._added(gathered, states, f"{layer}.attention.output")
            active = self._active(attended, f"{layer}.intermediate.dense")
            scale = self._reach(layer) ** MOVED if self._eight_bits else None
            states = self._added(active, attended, f"{layer}.output", scale)
        sizes: list[str | int | None] = ["texts", "tokens", len(self._given[f"{NORM}.weight"])]
        graph = helper.make_graph(
            self._nodes,
            "bert",
            [
                helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, sizes),
                helper.make_tensor_value_info("lengths", TensorProto.INT32, ["texts"]),
            ],
            [helper.make_tensor_value_info(states, TensorProto.FLOAT, sizes)],
            [_outside(name, weight) for name, weight in self.weights.items()],
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(OWN, 1)]
        return bytes(
            helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString()
        )

    def _attention(self, states: str, layer: str) -> str:
        parts = [f"{layer}.{part}" for part in ATTENTION]
        heads = self._shape.heads
        if self._eight_bits:
            products = [self._product(states, part)[0] for part in parts]
            return self._node("MultiHeadAttention", products, num_heads=heads)
        matrix = np.concatenate([self._given[f"{part}.weight"] for part in parts]).T
        bias = np.concatenate([self._given[f"{part}.bias"] for part in parts])
        inputs = [states, self._weight(f"{layer}.weight", matrix), self._weight(f"{layer}.bias", bias)]
        return self._node("Attention", [*inputs, "lengths"], num_heads=heads)

    def _added(self, given: str, before: str, part: str, scale: Matrix | None = None) -> str:
        """Add the nodes of LayerNorm(before + given·weight + bias)."""
        product, rest = self._product(given, f"{part}.dense", scale)
        return self._node(
            "SkipLayerNormalization", [product, before, *self._both(f"{part}.LayerNorm"), *rest]
        )

    def _active(self, given: str, part: str) -> str:
        """Add the nodes of GELU(given·weight + bias)."""
        product, rest = self._product(given, part)
        return self._node("BiasGelu" if rest else "Gelu", [product, *rest])

    def _reach(self, layer: str) -> Matrix:
        """Return about how large each unit behind GELU gets, shape (units,): four deviations above its mean.

        The input is normalised, so that its mean and its deviation stand in the weights.
        """
        shift, spread = (
            self._given[f"{layer}.attention.output.LayerNorm.{kind}"] for kind in ("bias", "weight")
        )
        weight, bias = (self._given[f"{layer}.intermediate.dense.{kind}"] for kind in ("weight", "bias"))
        highest = weight @ shift + bias + 4 * np.sqrt(weight**2 @ spread**2)
        reach: Matrix = np.maximum(highest, np.float32(GELU_BELOW))
        return reach

    def _product(self, given: str, part: str, scale: Matrix | None = None) -> tuple[str, list[str]]:
        """Return the names of given·weight and of the bias, or of given·weight + bias alone.

        With a `scale`, shape (units,), what is given is divided by it and the weight multiplied, so that units of
        different sizes lose less when they are rounded together (Xiao et al., SmoothQuant, 2023).
        """
        matrix = self._given[f"{part}.weight"].T
        bias = self._weight(f"{part}.bias", self._given[f"{part}.bias"])
        if not self._eight_bits:
            return self._node("MatMul", [given, self._weight(f"{part}.weight", matrix)]), [bias]
        if scale is not None:
            given = self._node("Mul", [given, self._weight(f"{part}.shrink", 1 / scale)])
            matrix = matrix * scale[:, None]
        return self._node(
            "DynamicQuantizeMatMul", [given, *self._rounded(f"{part}.weight", matrix), bias]
        ), []

    def _both(self, part: str) -> list[str]:
        return [self._weight(name, self._given[name]) for name in (f"{part}.weight", f"{part}.bias")]

    def _rounded(self, name: str, matrix: Matrix) -> list[str]:
        """Return the names of a matrix in 8 bits, of the scale of each column, and of the zeros."""
        scale = np.maximum(np.abs(matrix).max(axis=0), np.finfo(np.float32).tiny) / np.float32(LARGEST)
        return [
            self._weight(name, np.rint(matrix / scale).astype(np.int8)),
            self._weight(f"{name}.scale", scale),
            self._weight(f"{name}.zero", np.zeros(len(scale), dtype=np.int8)),
        ]

    def _weight(self, name: str, values: NDArray[Any]) -> str:
        self.weights[name] = np.ascontiguousarray(values)
        return name

    def _node(self, kind: str, inputs: Iterable[str], **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        if "LayerNormalization" in kind:
            attributes["epsilon"] = self._shape.epsilon
        output = f"{kind}.{len(self._nodes)}"
        domain = "" if kind in STANDARD else OWN
        self._nodes.append(helper.make_node(kind, list(inputs), [output], domain=domain, **attributes))
        return output


def _outside(name: str, weight: NDArray[Any]) -> "TensorProto":
    """Return a weight that the session gets from memory."""
    from onnx import TensorProto

    kind = TensorProto.INT8 if weight.dtype == np.int8 else TensorProto.FLOAT
    tensor = TensorProto(name=name, dims=weight.shape, data_type=kind, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="memory")
    return tensor
