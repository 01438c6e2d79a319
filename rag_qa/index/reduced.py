"""Reduced vectors: the first principal components of every passage, to choose quickly which papers to score exactly.

A product with all vectors reads all of them, 1.5 GB for a million. The first 64 of their 384 principal components hold
three quarters of their squared length in a sixth of the space. They say nearly, though not exactly, which papers are
near. Built only for large indexes, from the exact matrix (rag_qa.index.exact).

The passages are kept in layers: first the first passage of each paper, then the second ones, and so on. So the best
passage of each paper is the maximum of few long rows, which is quicker than one maximum for each paper.
"""

from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from rag_qa.index.checksums import open_array, read_array
from rag_qa.protocols import Matrix

COMPONENTS = 64
# Rows from which the principal components are found, evenly spread, and rows that are reduced at a time.
SAMPLE, CHUNK = 50_000, 50_000
AXES, HEADS, LAYERS, PAPERS = "axes.npy", "heads.npy", "layers.npy", "layer-papers.npy"

Numbers = NDArray[np.int64]
Scores = NDArray[np.float32]


def build_reduced(folder: Path, vectors: Matrix, starts: Numbers, *, components: int = COMPONENTS) -> None:
    """Write the reduced vectors, of that many components, into a folder.

    `vectors` has shape (passages, d), one paper's rows after another's; `starts` holds the first row of each paper and
    the number of rows, shape (papers + 1,).
    """
    axes = principal_axes(vectors, components)
    rows, papers, layers = _layers(starts)
    heads = open_memmap(folder / HEADS, mode="w+", dtype=np.float32, shape=(len(rows), axes.shape[1]))
    for start in range(0, len(rows), CHUNK):
        heads[start : start + CHUNK] = vectors[rows[start : start + CHUNK]] @ axes
    heads.flush()
    np.save(folder / AXES, axes)
    np.save(folder / LAYERS, layers)
    np.save(folder / PAPERS, papers.astype(np.int32))


def principal_axes(vectors: Matrix, count: int) -> Matrix:
    """Return the directions in which vectors of shape (n, d) are longest, shape (d, count) or less: PCA, not centred.

    Products with a query need no centring. The columns are orthogonal and of length 1.
    """
    sample = np.asarray(vectors[:: max(1, len(vectors) // SAMPLE)], dtype=np.float64)
    _, axes = np.linalg.eigh(sample.T @ sample)
    return np.ascontiguousarray(axes[:, ::-1][:, :count], dtype=np.float32)


def _layers(starts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return the row and the paper of each reduced vector, layer by layer, and where each layer starts and ends."""
    lengths = np.diff(starts)
    papers = [np.flatnonzero(lengths > layer) for layer in range(lengths.max(initial=1))]
    rows = [starts[of] + layer for layer, of in enumerate(papers)]
    ends = np.cumsum([0, *map(len, papers)], dtype=np.int64)
    return np.concatenate(rows), np.concatenate(papers), ends


class Reduced:
    """The opened reduced vectors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def similarities(self, vector: Matrix) -> Scores:
        """Return about the cosine of each paper's best passage with a vector of shape (d,); shape (papers,)."""
        near = np.asarray(self._heads @ (vector @ self._axes), dtype=np.float32)
        best, *more = (near[start:end] for start, end in self._bounds)
        for (start, end), layer in zip(self._bounds[1:], more, strict=True):
            papers = self._papers[start:end]
            best[papers] = np.maximum(best[papers], layer)
        return best

    def similarities_of(self, vector: Matrix, papers: Numbers) -> Scores:
        """Return the same for some papers, shape (n,), in their order; they are in ascending order."""
        head = vector @ self._axes
        best = np.asarray(self._heads[papers] @ head, dtype=np.float32)
        for start, end in self._bounds[1:]:
            layer = self._papers[start:end]
            rows = np.minimum(np.searchsorted(layer, papers), len(layer) - 1)
            mine = layer[rows] == papers
            best[mine] = np.maximum(best[mine], self._heads[start + rows[mine]] @ head)
        return best

    @cached_property
    def _axes(self) -> Matrix:
        return read_array(self._folder, AXES)

    @cached_property
    def _heads(self) -> Matrix:
        heads: Matrix = open_array(self._folder, HEADS)[:]
        return heads

    @cached_property
    def _papers(self) -> NDArray[np.int32]:
        papers: NDArray[np.int32] = open_array(self._folder, PAPERS)[:]
        return papers

    @cached_property
    def _bounds(self) -> list[tuple[int, int]]:
        """The first and the last row of each layer, the last one exclusive."""
        layers = read_array(self._folder, LAYERS).tolist()
        return list(pairwise(layers))
