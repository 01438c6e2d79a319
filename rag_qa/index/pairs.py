"""BM25 over bigrams, such as "polici gradient": the same formula as for words (rag_qa.index.lexical), memory-mapped.

bm25s reads its whole vocabulary as JSON, and 128,353 papers have millions of bigrams. Here a bigram is one number, made
of the numbers of its two stems in the vocabulary of the lexical index, and is found by bisection.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_qa.index.checksums import CheckedArray, open_array
from rag_qa.index.lexical import Lexical

PAIRS, STARTS, PAPERS, SCORES = "pairs.npy", "starts.npy", "papers.npy", "scores.npy"
# The defaults of bm25s, so that words and bigrams are scored alike.
K1, B = 1.5, 0.75
NO_PAIR = np.iinfo(np.int64).max

Numbers = NDArray[np.int64]


def build_pairs(folder: Path, papers: Sequence[Sequence[int]]) -> None:
    """Write the index of the papers into an empty folder; each paper is a list of numbers of its words."""
    lengths = np.array([len(words) for words in papers], dtype=np.int64)
    words = np.fromiter((word for paper in papers for word in paper), np.int64, lengths.sum())
    owners = np.repeat(np.arange(len(papers)), lengths)
    inside = owners[1:] == owners[:-1]
    keys, owners = _pairs(words)[inside], owners[1:][inside]
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    # A posting is a run of one bigram in one paper.
    postings = np.flatnonzero(_changes(keys) | _changes(owners))
    counts = np.diff(postings, append=len(keys))
    keys, owners = keys[postings], owners[postings]
    starts = np.flatnonzero(_changes(keys))
    found_in = np.diff(starts, append=len(keys))
    idf = np.log(1 + (len(papers) - found_in + 0.5) / (found_in + 0.5))
    sizes = np.maximum(lengths - 1, 0)
    norm = K1 * (1 - B + B * sizes / (sizes.mean() or 1.0)) if len(papers) else sizes
    scores = np.repeat(idf, found_in) * counts / (counts + norm[owners])
    # A memory map cannot be empty, so a bigram that no query has is added at the end.
    np.save(folder / PAIRS, np.append(keys[starts], NO_PAIR))
    np.save(folder / STARTS, np.append(starts, [len(keys), len(keys) + 1]))
    np.save(folder / PAPERS, np.append(owners, 0).astype(np.int32))
    np.save(folder / SCORES, np.append(scores, 0).astype(np.float32))


class Pairs:
    """An opened index of bigrams, over the papers of a lexical index."""

    def __init__(self, folder: Path, lexical: Lexical) -> None:
        self._folder = folder
        self._lexical = lexical

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the BM25 score of every paper, shape (papers,), in the order of ids; 0 without a match."""
        scores = np.zeros(len(self._lexical.paper_ids), dtype=np.float32)
        words = np.array(self._lexical.numbers(query), dtype=np.int64)
        asked = _pairs(words)[(words[1:] >= 0) & (words[:-1] >= 0)]
        for pair, row in zip(asked, self._pairs.search(asked), strict=True):
            if self._pairs[row] == pair:
                start, end = self._starts[row : row + 2]
                scores[self._papers[start:end]] += self._scores[start:end]
        return scores

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


def _changes(values: Numbers) -> NDArray[np.bool_]:
    """Return whether each value differs from the one before it; the first always does."""
    changes: NDArray[np.bool_] = np.diff(values, prepend=-1) != 0
    return changes
