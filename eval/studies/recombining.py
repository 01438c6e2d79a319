"""Many papers made of few: texts recombined from real sentences, vectors made from real vectors.

A made paper belongs to a real one, its parent, and to a near neighbour of that one. It has the parent's title, the
first half of the parent's sentences, the second half of the neighbour's, and one sentence of a larger pool. Its vector
lies between those of both, moved by the difference between two other neighbours: noise with the shape of real
differences. So there are more near papers than among as many real ones, which makes them harder to tell apart, and
fewer different words.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from rag_qa.protocols import Matrix
from rag_qa.text.sentences import split_sentences
from rag_qa.types import Paper, Source

NEIGHBOURS = 20
CHUNK = 2_000
# How far a vector is moved by the difference between two others.
NOISE = 0.6
# The share of papers with a second passage.
LONG = 0.1


class Made(NamedTuple):
    """A made paper and the vectors of its passages, shape (1 or 2, d)."""

    paper: Paper
    vectors: Matrix


class Recombiner:
    """Makes papers of real ones and their vectors, shape (papers, d), rows of length 1."""

    def __init__(self, papers: Sequence[Paper], vectors: Matrix, pool: Sequence[str]) -> None:
        self._papers = papers
        self._vectors = vectors
        self._pool = pool
        self._sentences = [_sentences(paper.abstract) for paper in papers]
        self._near = _nearest(vectors)

    def make(self, count: int, seed: int = 0) -> Iterator[Made]:
        """Yield made papers, in the order of their ids."""
        for start in range(0, count, CHUNK):
            yield from self._some(start, min(CHUNK, count - start), np.random.default_rng((seed, start)))

    def _some(self, start: int, count: int, chance: np.random.Generator) -> Iterator[Made]:
        parents = chance.integers(len(self._papers), size=count)
        neighbours = self._near[parents, chance.integers(NEIGHBOURS, size=count)]
        both = [self._vectors_between(parents, neighbours, chance) for _ in range(2)]
        long = chance.random(count) < LONG
        extra = chance.integers(len(self._pool), size=count)
        for n in range(count):
            text = self._text(int(parents[n]), int(neighbours[n]), self._pool[int(extra[n])])
            source = Source(path="made.jsonl", record=start + n + 1)
            paper = self._papers[int(parents[n])].model_copy(
                update={"id": f"made-{start + n:08}", "abstract": text, "sources": (source,), "aliases": ()}
            )
            yield Made(paper, np.stack([vectors[n] for vectors in both[: 1 + bool(long[n])]]))

    def _vectors_between(
        self, parents: np.ndarray, neighbours: np.ndarray, chance: np.random.Generator
    ) -> Matrix:
        part = chance.uniform(0.3, 1.0, size=(len(parents), 1))
        others = chance.integers(len(self._papers), size=len(parents))
        beside = self._near[others, chance.integers(NEIGHBOURS, size=len(parents))]
        mixed = part * self._vectors[parents] + (1 - part) * self._vectors[neighbours]
        moved = mixed + NOISE * (self._vectors[others] - self._vectors[beside])
        unit: Matrix = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _text(self, parent: int, neighbour: int, extra: str) -> str:
        first, second = self._sentences[parent], self._sentences[neighbour]
        return " ".join([*first[: (len(first) + 1) // 2], extra, *second[len(second) // 2 :]])


def _nearest(vectors: Matrix) -> np.ndarray:
    """Return the nearest other rows of each row, shape (n, NEIGHBOURS)."""
    found = []
    for start in range(0, len(vectors), CHUNK):
        near = vectors[start : start + CHUNK] @ vectors.T
        near[np.arange(len(near)), np.arange(start, start + len(near))] = -1
        found.append(np.argpartition(-near, NEIGHBOURS, axis=1)[:, :NEIGHBOURS])
    return np.concatenate(found)


def _sentences(abstract: str) -> list[str]:
    return [abstract[start:end] for start, end in split_sentences(abstract)]
