"""Exact cosine similarities of every paper, from one memory-mapped matrix; built from the store.

Up to some hundred thousand passages, a product with the whole matrix takes milliseconds, opens at once and misses
nothing. Beyond that, reduced vectors (rag_qa.index.reduced) choose the papers whose similarities are needed.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import NDArray

from rag_qa.index.checksums import CheckedArray, open_array, read_array
from rag_qa.index.reduced import HEADS, Reduced, build_reduced
from rag_qa.protocols import Matrix

FLOAT32 = "<f4"
VECTORS, STARTS = "vectors.npy", "starts.npy"
# Below this share of the papers, gathering their rows is quicker than a product with the whole matrix.
FEW = 0.1
# The number of passages from which reduced vectors are built.
LARGE = 200_000

# Papers by number, from 0, in the order of their ids: the same in all derived files of a generation.
Ordinals = NDArray[np.int64]
Scores = NDArray[np.float32]


def build_exact(
    folder: Path,
    rows: Iterator[tuple[str, bytes | Matrix]],
    count: int,
    dimension: int,
    *,
    large: int = LARGE,
) -> int:
    """Write `count` rows (paper id, float32 vector) into an empty folder, and return how many there were.

    The rows of a paper follow each other. From `large` rows on, reduced vectors are written too.
    """
    starts: list[int] = []
    previous, written = None, 0
    # A memory map cannot be empty, so there is a row of zeros if there is no passage.
    header = {"descr": FLOAT32, "fortran_order": False, "shape": (max(count, 1), dimension)}
    # Written as a stream: on a full disk, a write into a new memory map would end the process.
    with (folder / VECTORS).open("wb") as file:
        write_array_header_1_0(file, header)
        for row, (paper_id, vector) in enumerate(rows):
            file.write(vector if isinstance(vector, bytes) else vector.astype(FLOAT32, copy=False).tobytes())
            if paper_id != previous:
                starts.append(row)
                previous = paper_id
            written += 1
        file.write(b"" if count else bytes(4 * dimension))
    bounds = np.array([*starts, count], dtype=np.int64)
    np.save(folder / STARTS, bounds)
    if written == count >= max(large, 1):
        build_reduced(folder, np.load(folder / VECTORS, mmap_mode="r"), bounds)
    return written


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

    def vectors_of(self, paper: int) -> Matrix:
        """Return the vectors of a paper's passages, shape (n, d)."""
        start, end = self._starts[paper : paper + 2]
        vectors: Matrix = self.vectors[start:end]
        return vectors

    @cached_property
    def reduced(self) -> Reduced | None:
        """The reduced vectors; None if the index has too few passages to need them."""
        return Reduced(self._folder) if (self._folder / HEADS).is_file() else None

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
