"""Exact cosine similarities of every paper, from one memory-mapped matrix; built from the store.

Up to some hundred thousand passages a product with the whole matrix takes milliseconds, opens at once and finds all
that is there; an approximate graph (index/vectors.py) saves time only beyond that. Papers go by their places in the
order of ids, as in the lexical index.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from rag_qa.protocols import Matrix

VECTORS, STARTS = "vectors.npy", "starts.npy"
# Below this share of the papers, gathering their rows is quicker than a product with the whole matrix.
FEW = 0.1

Places = NDArray[np.int64]
Scores = NDArray[np.float32]


def build_exact(folder: Path, rows: Iterator[tuple[str, bytes]], count: int, dimension: int) -> None:
    """Write `count` rows (paper id, float32 vector), those of one paper together, into an empty folder."""
    starts: list[int] = []
    previous = None
    # A memory map cannot be empty, so that there is a row of zeros where there is no passage.
    matrix = open_memmap(folder / VECTORS, mode="w+", dtype=np.float32, shape=(max(count, 1), dimension))
    for place, (paper_id, vector) in enumerate(rows):
        matrix[place] = np.frombuffer(vector, dtype=np.float32)
        if paper_id != previous:
            starts.append(place)
            previous = paper_id
    matrix.flush()
    np.save(folder / STARTS, np.array([*starts, count], dtype=np.int64))


class Exact:
    """The opened matrix."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def similarities(self, vector: Matrix, places: Places) -> Scores:
        """Return the cosine of the best passage of each of some papers with a unit vector of shape (dimension,).

        Shape (papers,), in the order of `places`.
        """
        starts, ends = self._starts[:-1], self._starts[1:]
        if not len(places):
            return np.zeros(0, dtype=np.float32)
        if len(places) > FEW * len(starts):
            return _best(self.vectors[: ends[-1]] @ vector, starts)[places]
        lengths = ends[places] - starts[places]
        firsts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        rows = np.repeat(starts[places] - firsts, lengths) + np.arange(lengths.sum())
        return _best(self.vectors[rows] @ vector, firsts)

    def best_passage(self, vector: Matrix, place: int) -> int:
        """Return which passage of a paper, counted from 0, is most like the vector (the first of equals)."""
        start, end = self._starts[place : place + 2]
        return int(np.argmax(self.vectors[start:end] @ vector))

    def best_vectors(self, vector: Matrix, places: Places) -> Matrix:
        """Return the vector of the best passage of each of some papers, shape (papers, dimension)."""
        rows = [int(self._starts[place]) + self.best_passage(vector, int(place)) for place in places]
        return np.asarray(self.vectors[rows])

    @cached_property
    def vectors(self) -> Matrix:
        """The passages' vectors, paper by paper in the order of places; shape (passages, dimension)."""
        matrix: Matrix = np.load(self._folder / VECTORS, mmap_mode="r")
        return matrix

    @cached_property
    def _starts(self) -> Places:
        """Where each paper's rows begin, and after the last paper where the rows end; shape (papers + 1,)."""
        starts: Places = np.load(self._folder / STARTS)
        return starts


def _best(similarities: Scores, starts: Places) -> Scores:
    return np.asarray(np.maximum.reduceat(similarities, starts), dtype=np.float32)
