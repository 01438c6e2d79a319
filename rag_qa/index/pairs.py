"""BM25 over bigrams, such as "polici gradient": the same formula as for words (rag_qa.index.lexical), memory-mapped.

bm25s reads its whole vocabulary as JSON, and 128,353 papers have millions of bigrams. Here a bigram is one number, made
of the numbers of its two stems in the vocabulary of the lexical index, and is found by bisection.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_qa.index.checksums import CheckedArray, open_array
from rag_qa.index.lexical import K1, B, Lexical, Words

PAIRS, STARTS, PAPERS, SCORES = "pairs.npy", "starts.npy", "papers.npy", "scores.npy"
NO_PAIR = np.iinfo(np.int64).max
# Sorting this many bigrams takes about a gigabyte.
AT_ONCE = 20_000_000

Numbers = NDArray[np.int64]


class _Postings(NamedTuple):
    """Bigrams in ascending order, the number of papers that have each, and these papers with their scores."""

    pairs: Numbers
    found_in: Numbers
    papers: NDArray[np.int32]
    scores: NDArray[np.float32]


def build_pairs(folder: Path, found: Words, *, at_once: int = AT_ONCE) -> None:
    """Write the index of the papers that have these words into an empty folder.

    Up to about `at_once` bigrams are sorted at a time, which bounds the memory that this takes.
    """
    words, lengths = found.numbers, np.diff(found.ends)
    owners = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    sizes = np.maximum(lengths - 1, 0)
    norm = K1 * (1 - B + B * sizes / (sizes.mean() or 1.0)) if len(lengths) else sizes
    parts = [_postings(words, owners, norm, low, high) for low, high in _ranges(words, at_once)]
    pairs, found_in, owners, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
    ends = np.cumsum(found_in, dtype=np.int64)
    # A memory map cannot be empty, so a bigram that no query has is added at the end.
    np.save(folder / PAIRS, np.append(pairs, NO_PAIR))
    np.save(folder / STARTS, np.concatenate(([0], ends, [len(owners) + 1])))
    np.save(folder / PAPERS, np.append(owners, np.int32(0)))
    np.save(folder / SCORES, np.append(scores, np.float32(0)))


def _ranges(words: NDArray[np.int32], at_once: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of words that about `at_once` bigrams begin with, or one word if it alone begins more."""
    totals = np.cumsum(np.bincount(words, minlength=1))
    low = 0
    while low < len(totals):
        before = totals[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(totals, before + at_once, side="right")))
        yield low, high
        low = high


def _postings(
    words: NDArray[np.int32], owners: NDArray[np.int32], norm: NDArray[Any], low: int, high: int
) -> _Postings:
    """Return the postings of the bigrams whose first word is from `low` up to, not including, `high`."""
    inside = (owners[1:] == owners[:-1]) & (words[:-1] >= low) & (words[:-1] < high)
    at = np.flatnonzero(inside)
    keys, owners = (words[at].astype(np.int64) << 32) | words[at + 1], owners[at]
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    # A posting is a run of one bigram in one paper.
    postings = np.flatnonzero(_changes(keys) | _changes(owners))
    counts = np.diff(postings, append=len(keys))
    keys, owners = keys[postings], owners[postings]
    starts = np.flatnonzero(_changes(keys))
    found_in = np.diff(starts, append=len(keys))
    idf = np.log(1 + (len(norm) - found_in + 0.5) / (found_in + 0.5))
    scores = np.repeat(idf, found_in) * counts / (counts + norm[owners])
    return _Postings(keys[starts], found_in, owners, scores.astype(np.float32))


class Pairs:
    """An opened index of bigrams, over the papers of a lexical index."""

    def __init__(self, folder: Path, lexical: Lexical) -> None:
        self._folder = folder
        self._lexical = lexical

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the BM25 score of every paper, shape (papers,), in the order of ids; 0 without a match."""
        scores = np.zeros(len(self._lexical.paper_ids), dtype=np.float32)
        for rows in self._rows(query):
            if rows:
                scores[self._papers[rows]] += self._scores[rows]
        return scores

    def postings(self, query: str) -> list[tuple[Numbers, NDArray[np.float64]] | None]:
        """Return, for each bigram of a query, the papers that have it and its part of their scores; None if none."""
        return [
            (np.asarray(self._papers[rows], np.int64), np.asarray(self._scores[rows], np.float64))
            if rows
            else None
            for rows in self._rows(query)
        ]

    def _rows(self, query: str) -> Iterator[slice | None]:
        """Yield the range of postings of each bigram of a query, None if no paper has it."""
        words = np.array(self._lexical.numbers(query), dtype=np.int64)
        known = (words[1:] >= 0) & (words[:-1] >= 0)
        asked = _pairs(words)
        for pair, row, possible in zip(asked, self._pairs.search(asked), known, strict=True):
            if possible and self._pairs[row] == pair:
                yield slice(int(self._starts[row]), int(self._starts[row + 1]))
            else:
                yield None

    @cached_property
    def _pairs(self) -> CheckedArray:
        return open_array(self._folder, PAIRS)

    @cached_property
    def _starts(self) -> CheckedArray:
        return open_array(self._folder, STARTS)

    @cached_property
    def _papers(self) -> CheckedArray:
        return open_array(self._folder, PAPERS)

    @cached_property
    def _scores(self) -> CheckedArray:
        return open_array(self._folder, SCORES)


def _pairs(words: Numbers) -> Numbers:
    """Return the number of each bigram, shape (words - 1,): 32 bits for each of its words."""
    return (words[:-1] << 32) | words[1:]


def _changes(values: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return whether each value differs from the one before it; the first always does."""
    changes: NDArray[np.bool_] = np.diff(values, prepend=-1) != 0
    return changes
