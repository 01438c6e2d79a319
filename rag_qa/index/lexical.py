"""BM25 with English stemming over title and abstract; built from the store, memory-mapped.

The formula is Lucene's variant of BM25 with k1 = 1.5 and b = 0.75 (Robertson & Zaragoza, The Probabilistic Relevance
Framework: BM25 and Beyond, 2009). A title is repeated three times in the text, which raises the weight of its words:
on every collection measured, that found more than one title (eval/README.md).

bm25s builds the index. At 128,353 papers its queries take 0.7 ms, against 166 ms with SQLite FTS5 and 3.3 ms with
tantivy, and it scores *every* paper, which exact fusion needs. The price is that every score changes with new papers;
the others add 1,000 papers in 0.1 s. This module reads the files itself: importing bm25s imports scipy, which takes a
seventh of the time of a fresh search. Knows nothing of vectors.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_qa.index.bm25 import new_index
from rag_qa.index.checksums import CheckedArray, open_array, read_array, read_json
from rag_qa.index.exact import Ordinals
from rag_qa.text.body import body_span
from rag_qa.text.words import ANALYZER, stem, words
from rag_qa.types import Paper

PAPER_IDS = "paper_ids.json"
# What bm25s saves, as a matrix in compressed columns, one column for each word: scores, papers, starts of the columns.
SCORES, PAPERS, STARTS, VOCABULARY = (
    "data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy", "vocab.index.json"
)  # fmt: skip
# The list of bm25s, which is Lucene's.
STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with".split()
)
TITLE_TIMES = 3
# The defaults of bm25s.
K1, B = 1.5, 0.75
RULES = "rules.json"
# The words of all papers as numbers, paper after paper, and the end of each paper: updates read no old text.
WORDS, WORD_ENDS = "words.npy", "word-ends.npy"


class Words(NamedTuple):
    """The words of all papers, one paper after the other, as `numbers` of the vocabulary, shape (words,).

    Those of paper n are `numbers[ends[n] : ends[n + 1]]`; `ends` has shape (papers + 1,).
    """

    numbers: NDArray[np.int32]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, papers: Sequence[Sequence[int]]) -> "Words":
        """Return the words of papers of which each is a list of numbers."""
        ends = np.cumsum([0, *map(len, papers)], dtype=np.int64)
        return cls(np.fromiter(chain.from_iterable(papers), np.int32, ends[-1]), ends)


def build_lexical(folder: Path, papers: Iterable[Paper]) -> Words:
    """Write the BM25 index of the papers into an empty folder; the papers come in the order of their ids."""
    ids: list[str] = []
    found, vocabulary = _vocabulary_of(map(words, _texts(papers, ids)))
    return _write(folder, ids, Words.of(found), vocabulary)


def update_lexical(folder: Path, before: Path, ids: Sequence[str], fresh: Mapping[str, Paper]) -> Words:
    """Write what `build_lexical` would, from the index before and the papers that it lacks; the ids are in order.

    Only the fresh papers are read.
    """
    old = Lexical(before)
    known = [str(word) for word in old._vocabulary]
    own, vocabulary = _vocabulary_of((words(_text(paper)) for paper in fresh.values()), known)
    kept = read_array(before, WORDS)
    ends = read_array(before, WORD_ENDS)
    of_fresh = dict(zip(fresh, own, strict=True))
    ordinals = old.ordinals
    rows = [
        np.array(of_fresh[id_], dtype=np.int32)
        if id_ in of_fresh
        else kept[ends[n := ordinals[id_]] : ends[n + 1]]
        for id_ in ids
    ]
    return _write(folder, ids, *_renumbered(rows, list(vocabulary)))


def _renumbered(rows: Sequence[NDArray[np.int32]], words: Sequence[str]) -> tuple[Words, dict[str, int]]:
    """Return texts with their words numbered by first appearance, and the vocabulary; unused words are dropped."""
    flat = np.concatenate([np.empty(0, dtype=np.int32), *rows])
    first = np.full(len(words), len(flat))
    first[flat[::-1]] = np.arange(len(flat))[::-1]
    order = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(flat))]
    numbers = np.empty(len(words), dtype=np.int32)
    numbers[order] = np.arange(len(order), dtype=np.int32)
    ends = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return Words(numbers[flat], ends), {words[n]: new for new, n in enumerate(order)}


def _write(folder: Path, ids: Sequence[str], found: Words, vocabulary: dict[str, int]) -> Words:
    """Write the index of texts. If no text has a word, it has no scores: bm25s would divide by zero."""
    (folder / PAPER_IDS).write_text(json.dumps(ids), encoding="utf-8")
    (folder / RULES).write_text(json.dumps({"analyzer": ANALYZER}), encoding="utf-8")
    np.save(folder / WORD_ENDS, found.ends)
    np.save(folder / WORDS, found.numbers)
    if len(found.numbers):
        index = new_index(*found)
        index.index(([], vocabulary), show_progress=False)
        index.save(str(folder), show_progress=False)
    return found


def _text(paper: Paper) -> str:
    start, end = body_span(paper.abstract)
    return " ".join([*[paper.title] * TITLE_TIMES, paper.abstract[start:end]])


def _texts(papers: Iterable[Paper], ids: list[str]) -> Iterator[str]:
    """Yield the text of each paper, and append its id, with one text in memory at a time."""
    for paper in papers:
        ids.append(paper.id)
        yield _text(paper)


def analyzer_is_current(folder: Path) -> bool:
    """Return whether an index was built with the analyzer that queries use now."""
    try:
        return bool(json.loads((folder / RULES).read_text(encoding="utf-8"))["analyzer"] == ANALYZER)
    except (OSError, ValueError, KeyError, TypeError):
        return False


class Lexical:
    """An opened BM25 index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the BM25 score of every paper, shape (papers,), in the order of `paper_ids`; 0 without a match."""
        scores = np.zeros(len(self.paper_ids), dtype=np.float32)
        for number in self.numbers(query):
            if number >= 0:
                column = self._column(number)
                scores[self._papers[column]] += self._scores[column]
        return scores

    def numbers(self, query: str) -> list[int]:
        """Return the query's words as numbers of the vocabulary, in order; -1 for a word that no paper has."""
        return [self._vocabulary.get(word, -1) for word in _tokenize(query)]

    def postings(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the papers that have a word of the vocabulary, and the word's part of their scores."""
        column = self._column(number)
        return np.asarray(self._papers[column], np.int64), np.asarray(self._scores[column], np.float64)

    def document_frequencies(self, stems: Sequence[str]) -> dict[str, int]:
        """Return the number of papers that have each stem."""
        return {stem: self._document_frequency(self._vocabulary.get(stem)) for stem in stems}

    def papers_with_all(self, text: str) -> Ordinals:
        """Return the papers that hold every word of a text, in any inflection; none if it has no word."""
        numbers = [self._vocabulary.get(word) for word in _tokenize(text)]
        if not numbers or None in numbers:
            return np.empty(0, dtype=np.int64)
        lists = [np.asarray(self._papers[self._column(n)], dtype=np.int64) for n in numbers if n is not None]
        return reduce(np.intersect1d, lists[1:], np.sort(lists[0]))

    def paper_counts(self, names: Sequence[str]) -> list[int]:
        """Return the number of papers that have each word, in any inflection."""
        return [min(self.document_frequencies(stem(words(name))).values(), default=0) for name in names]

    def _document_frequency(self, number: int | None) -> int:
        if number is None:
            return 0
        column = self._column(number)
        return int(column.stop - column.start)

    def _column(self, number: int) -> slice:
        """Return the range of a word's papers and scores."""
        return slice(int(self._starts[number]), int(self._starts[number + 1]))

    @cached_property
    def paper_ids(self) -> list[str]:
        """The ids of the papers, sorted: a paper's index here is its ordinal."""
        return list(read_json(self._folder, PAPER_IDS))

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """The number of words of each paper, shape (papers,), the title as often as it is repeated."""
        return np.diff(read_array(self._folder, WORD_ENDS))

    @cached_property
    def ordinals(self) -> dict[str, int]:
        """Each paper's index in `paper_ids` and in scores, by id."""
        return {paper: ordinal for ordinal, paper in enumerate(self.paper_ids)}

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        """The number of each stem; empty if no paper has a word, because then there are no scores."""
        if not (self._folder / SCORES).is_file():
            read_json(self._folder, RULES)  # fails if the folder has gone since it was opened
            return {}
        return dict(read_json(self._folder, VOCABULARY))

    @cached_property
    def _scores(self) -> CheckedArray:
        return open_array(self._folder, SCORES)

    @cached_property
    def _papers(self) -> CheckedArray:
        return open_array(self._folder, PAPERS)

    @cached_property
    def _starts(self) -> CheckedArray:
        return open_array(self._folder, STARTS)


def _tokenize(text: str) -> list[str]:
    """Return the stems of a text's words without stop words, in order."""
    return stem([word for word in words(text) if word not in STOP_WORDS])


def _vocabulary_of(
    texts: Iterable[Iterable[str]], known: Sequence[str] = ()
) -> tuple[list[list[int]], dict[str, int]]:
    """Return each text as numbers of its stems in a vocabulary, without stop words, and the vocabulary.

    The vocabulary begins with the known stems.
    """
    numbers: dict[str, int] = {}
    found = [
        [numbers.setdefault(word, len(numbers)) for word in text if word not in STOP_WORDS] for text in texts
    ]
    vocabulary = {stemmed: number for number, stemmed in enumerate(known)}
    stems = [vocabulary.setdefault(stemmed, len(vocabulary)) for stemmed in stem(list(numbers))]
    return [[stems[n] for n in text] for text in found], vocabulary
