"""Several indexes searched as one: each shard is searched in a thread of its own, and the scores are merged exactly.

A shard is an ordinary index, built for itself, for example on another machine. The scores are those of one index of all
papers. Similarities do not depend on other papers. BM25 does: its scores are taken apart into how often a paper has a
word, and put together again with the number of papers, the mean length and the frequency of the word in all shards.

The shards must have been built with the same embedder, and no paper may be in two of them. There are no filters yet.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag_qa.errors import PaperIndexError
from rag_qa.index.exact import Ordinals, Scores
from rag_qa.index.lexical import K1, B
from rag_qa.index.manifest import Counts, check_embedder
from rag_qa.index.reader import Index
from rag_qa.index.store import PassageRow
from rag_qa.protocols import Matrix
from rag_qa.types import Paper, Passage

T = TypeVar("T")


class Shards:
    """Opened indexes as one, for a `Retriever`. Closing it closes them."""

    def __init__(self, shards: Sequence[Index]) -> None:
        """Raises IndexMismatchError if the embedders differ, PaperIndexError if a paper is in two shards."""
        self.shards: list[Index] = list(shards)
        first = self.shards[0].manifest
        for shard in self.shards[1:]:
            check_embedder(first, shard.manifest.embedder, "a shard")
        counts = {
            name: sum(getattr(shard.manifest.counts, name) for shard in self.shards)
            for name in Counts.model_fields
        }
        self.manifest = first.model_copy(update={"counts": Counts(**counts)})
        self._pool = ThreadPoolExecutor(len(self.shards))
        self.layout = Layout([shard.lexical.paper_ids for shard in self.shards])
        self.exact = ShardedExact(self)
        self.lexical = ShardedLexical(self)
        self.pairs = ShardedPairs(self)

    def map(self, work: Callable[[int, Index], T]) -> list[T]:
        """Return what some work gives for each shard, done in parallel, in the order of the shards."""
        return list(self._pool.map(work, range(len(self.shards)), self.shards))

    def close(self) -> None:
        """Close every shard."""
        self._pool.shutdown()
        for shard in self.shards:
            shard.close()

    def papers_by_id(self, ids: Sequence[str]) -> dict[str, Paper]:
        """Return the papers with these ids, by id."""
        return {key: paper for shard in self.shards for key, paper in shard.papers_by_id(ids).items()}

    def known_papers(self, ids: Sequence[str]) -> dict[str, Paper]:
        """Return the papers with these ids, by id. Raises IndexDamagedError if a shard has lost one of its own."""
        return {
            key: paper
            for shard in self.shards
            for key, paper in shard.known_papers([i for i in ids if i in shard.lexical.ordinals]).items()
        }

    def passage(self, paper: Paper, number: int) -> Passage:
        """Return a passage of a paper, counted from 0. Raises IndexDamagedError if it is not the one embedded."""
        shard = self.shards[int(self.layout.shard[self.lexical.ordinals[paper.id]])]
        return shard.passage(paper, number)

    def resolve(self, ids: Sequence[str]) -> set[str]:
        """Return the ids of the papers with these ids or aliases."""
        return {key for shard in self.shards for key in shard.resolve(ids)}

    def passages(self, paper_id: str) -> list[PassageRow]:
        """Return the passages of a paper, in the order of their text."""
        return [row for shard in self.shards for row in shard.passages(paper_id)]

    def passage_vectors(self, paper_ids: Sequence[str]) -> tuple[list[PassageRow], Matrix]:
        """Return the passages of papers, and their vectors, shape (n, d)."""
        rows, vectors = zip(*(shard.passage_vectors(paper_ids) for shard in self.shards), strict=True)
        return [row for part in rows for row in part], np.concatenate(vectors)


class Layout:
    """Where each paper is: papers are numbered over all shards in the order of their ids."""

    def __init__(self, ids: Sequence[Sequence[str]]) -> None:
        flat = [key for part in ids for key in part]
        order = np.array(sorted(range(len(flat)), key=flat.__getitem__), dtype=np.int64)
        self.ids = [flat[n] for n in order]
        if len(set(self.ids)) < len(self.ids):
            twice = next(a for a, b in zip(self.ids, self.ids[1:], strict=False) if a == b)
            raise PaperIndexError(f"the paper {twice} is in two shards; build one of them again without it")
        sizes = [len(part) for part in ids]
        self.shard = np.repeat(np.arange(len(ids)), sizes)[order]
        self.local = np.concatenate([np.arange(size) for size in sizes])[order]
        # The numbers of each shard's papers, in its own order.
        self.papers: list[Ordinals] = [np.flatnonzero(self.shard == n) for n in range(len(ids))]

    def spread(self, parts: Iterable[NDArray[Any]], dtype: Any = np.float32) -> NDArray[Any]:
        """Return one array over all papers from one for each shard."""
        merged = np.zeros(len(self.ids), dtype=dtype)
        for papers, part in zip(self.papers, parts, strict=True):
            merged[papers] = part
        return merged


class ShardedExact:
    """Similarities over all shards; the same interface as `Exact`."""

    reduced = None

    def __init__(self, shards: Shards) -> None:
        self._all = shards

    def similarities(self, vector: Matrix, papers: Ordinals) -> Scores:
        """Return the cosine of each paper's best passage with a vector of shape (d,), in the order of `papers`."""
        owners, local = self._all.layout.shard[papers], self._all.layout.local[papers]
        mine = [np.flatnonzero(owners == n) for n in range(len(self._all.shards))]
        parts = self._all.map(lambda n, shard: shard.exact.similarities(vector, local[mine[n]]))
        merged = np.zeros(len(papers), dtype=np.float32)
        for rows, part in zip(mine, parts, strict=True):
            merged[rows] = part
        return merged

    def best_passage(self, vector: Matrix, paper: int) -> int:
        """Return the number of the paper's passage that is most like the vector."""
        layout = self._all.layout
        exact = self._all.shards[int(layout.shard[paper])].exact
        return exact.best_passage(vector, int(layout.local[paper]))

    def best_vectors(self, vector: Matrix, papers: Ordinals) -> Matrix:
        """Return the vector of each paper's best passage, shape (n, d)."""
        layout = self._all.layout
        return np.concatenate(
            [
                self._all.shards[int(layout.shard[paper])].exact.best_vectors(vector, layout.local[[paper]])
                for paper in papers
            ]
        )


class ShardedLexical:
    """BM25 over the words of all shards; the same interface as `Lexical`."""

    def __init__(self, shards: Shards) -> None:
        self._all = shards

    @property
    def paper_ids(self) -> list[str]:
        """The ids of the papers, sorted."""
        return self._all.layout.ids

    @cached_property
    def ordinals(self) -> dict[str, int]:
        """Each paper's index in `paper_ids`, by id."""
        return {paper: ordinal for ordinal, paper in enumerate(self.paper_ids)}

    @cached_property
    def lengths(self) -> list[NDArray[np.int64]]:
        """The number of words of each paper, shard by shard."""
        return [shard.lexical.lengths for shard in self._all.shards]

    def scores(self, query: str) -> Scores:
        """Return the BM25 score of every paper, as in one index of all papers."""
        return merged_scores(self._all, [_word_postings(s, query) for s in self._all.shards], self.lengths)

    def document_frequencies(self, stems: Sequence[str]) -> dict[str, int]:
        """Return the number of papers that have each stem."""
        found = [shard.lexical.document_frequencies(stems) for shard in self._all.shards]
        return {stem: sum(part[stem] for part in found) for stem in stems}

    def paper_counts(self, names: Sequence[str]) -> list[int]:
        """Return the number of papers that have each word, in any inflection."""
        return [
            sum(counts)
            for counts in zip(*(s.lexical.paper_counts(names) for s in self._all.shards), strict=True)
        ]


class ShardedPairs:
    """BM25 over the bigrams of all shards; the same interface as `Pairs`."""

    def __init__(self, shards: Shards) -> None:
        self._all = shards

    def scores(self, query: str) -> Scores:
        """Return the BM25 score of every paper by bigrams, as in one index of all papers."""
        sizes = [np.maximum(lengths - 1, 0) for lengths in self._all.lexical.lengths]
        return merged_scores(self._all, [shard.pairs.postings(query) for shard in self._all.shards], sizes)


# The papers that have a word, and their scores; None if no paper has it.
Postings = tuple[NDArray[np.int64], NDArray[np.float64]] | None


def _word_postings(shard: Index, query: str) -> list[Postings]:
    """Return the postings of each word of a query in a shard."""
    return [shard.lexical.postings(n) if n >= 0 else None for n in shard.lexical.numbers(query)]


def merged_scores(
    shards: Shards, postings: Sequence[Sequence[Postings]], lengths: Sequence[NDArray[np.int64]]
) -> Scores:
    """Return the BM25 scores of all papers, from the postings of each word of a query in each shard.

    A shard's score is idf · tf / (tf + norm). The idf and the norm of the shard are known, so tf follows.
    """
    total = sum(map(len, lengths))
    mean = float(np.concatenate(lengths).mean()) if total else 0.0
    merged = [np.zeros(len(part), dtype=np.float64) for part in lengths]
    for word in range(len(postings[0])):
        found = [part[word] for part in postings]
        idf = _idf(total, sum(len(each[0]) for each in found if each))
        for each, own, scores in zip(found, lengths, merged, strict=True):
            if each:
                papers, given = each
                share = given / _idf(len(own), len(papers))
                times = np.round(share * _norm(own[papers], float(own.mean())) / (1 - share))
                scores[papers] += idf * times / (times + _norm(own[papers], mean))
    spread: Scores = shards.layout.spread(merged)
    return spread


def _idf(total: int, having: int) -> float:
    return float(np.log(1 + (total - having + 0.5) / (having + 0.5)))


def _norm(lengths: NDArray[np.int64], mean: float) -> NDArray[np.float64]:
    return np.asarray(K1 * (1 - B + B * lengths / (mean or 1.0)), dtype=np.float64)
