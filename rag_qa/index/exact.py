"""Exact cosine similarities of every paper, from one memory-mapped matrix; built from the store.

Up to some hundred thousand passages, a product with the whole matrix takes milliseconds, opens at once and misses
nothing. An approximate graph (rag_qa.index.vectors) saves time only beyond that.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from rag_qa.index.checksums import CheckedArray, open_array, read_array
from rag_qa.protocols import Matrix

VECTORS, STARTS = "vectors.npy", "starts.npy"
# Below this share of the papers, gathering their rows is quicker than a product with the whole matrix.
FEW = 0.1

# Papers by number, from 0, in the order of their ids: the same in all derived files of a generation.
Ordinals = NDArray[np.int64]
Scores = NDArray[np.float32]


def build_exact(folder: Path, rows: Iterator[tuple[str, bytes]], count: int, dimension: int) -> None:
    """Write `count` rows (paper id, float32 vector) into an empty folder; the rows of a paper follow each other."""
    starts: list[int] = []
    previous = None
    # A memory map cannot be empty, so there is a row of zeros if there is no passage.
    matrix = open_memmap(folder / VECTORS, mode="w+", dtype=np.float32, shape=(max(count, 1), dimension))
    for row, (paper_id, vector) in enumerate(rows):
        matrix[row] = np.frombuffer(vector, dtype=np.float32)
        if paper_id != previous:
            starts.append(row)
            previous = paper_id
    matrix.flush()
    np.save(folder / STARTS, np.array([*starts, count], dtype=np.int64))


class Exact:
    """The opened matrix."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def similarities(self, vector: Matrix, papers: Ordinals) -> Scores:
        """Return the cosine of each paper's best passage with a vector of shape (d,) and length 1.

        The result has shape (n,), in the order of `papers`.
        """
        starts, ends = self._starts[:-1], self._starts[1:]
        if not len(papers):
            return np.zeros(0, dtype=np.float32)
        if len(papers) > FEW * len(starts):
            return _best(self.vectors[: ends[-1]] @ vector, starts)[papers]
        lengths = ends[papers] - starts[papers]
        firsts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        rows = np.repeat(starts[papers] - firsts, lengths) + np.arange(lengths.sum())
        return _best(self.vectors[rows] @ vector, firsts)

    def best_passage(self, vector: Matrix, paper: int) -> int:
        """Return the number, from 0, of the paper's passage that is most like the vector; the first of equals."""
        start, end = self._starts[paper : paper + 2]
        return int(np.argmax(self.vectors[start:end] @ vector))

    def best_vectors(self, vector: Matrix, papers: Ordinals) -> Matrix:
        """Return the vector of each paper's best passage, shape (n, d)."""
        rows = [int(self._starts[paper]) + self.best_passage(vector, int(paper)) for paper in papers]
        return np.asarray(self.vectors[rows])

    @cached_property
    def vectors(self) -> CheckedArray:
        """The vectors of all passages, paper by paper; shape (passages, d), rows of length 1."""
        return open_array(self._folder, VECTORS)

    @cached_property
    def _starts(self) -> Ordinals:
        """The first row of each paper and, at the end, the number of rows; shape (papers + 1,)."""
        return read_array(self._folder, STARTS)


def _best(similarities: Scores, starts: Ordinals) -> Scores:
    return np.asarray(np.maximum.reduceat(similarities, starts), dtype=np.float32)
