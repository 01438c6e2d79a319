"""BM25 with English stemming over title and abstract; built from the store, memory-mapped.

The formula is Lucene's variant of BM25 with k1 = 1.5 and b = 0.75 (Robertson & Zaragoza, The Probabilistic Relevance
Framework: BM25 and Beyond, 2009). A title is repeated three times in the text, which raises the weight of its words:
on every collection measured, that found more than one title (eval/README.md).

bm25s builds the index. At 128,353 papers its queries take 0.7 ms, against 166 ms with SQLite FTS5 and 3.3 ms with
tantivy, and it scores *every* paper, which exact fusion needs. The price is a rebuild of 12 s for new papers; the
others add 1,000 papers in 0.1 s. This module reads the files itself: importing bm25s imports scipy, which takes a
seventh of the time of a fresh search. Knows nothing of vectors.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_qa.index.checksums import CheckedArray, open_array, read_json
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
RULES = "rules.json"


def build_lexical(folder: Path, papers: Iterable[Paper]) -> list[list[int]]:
    """Write the BM25 index of the papers into an empty folder; the papers come in the order of their ids.

    Returns the words of each paper, as numbers of the vocabulary. If no paper has a word (or there is no paper), only
    ids are written, because bm25s would divide by zero.
    """
    import bm25s  # type: ignore[import-untyped]

    ids: list[str] = []
    texts: list[str] = []
    for paper in papers:
        ids.append(paper.id)
        start, end = body_span(paper.abstract)
        texts.append(" ".join([*[paper.title] * TITLE_TIMES, paper.abstract[start:end]]))
    (folder / PAPER_IDS).write_text(json.dumps(ids), encoding="utf-8")
    (folder / RULES).write_text(json.dumps({"analyzer": ANALYZER}), encoding="utf-8")
    tokens, vocabulary = _vocabulary_of(map(words, texts))
    if any(tokens):
        index = bm25s.BM25()
        index.index((tokens, vocabulary), show_progress=False)
        index.save(str(folder), show_progress=False)
    return tokens


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
    def ordinals(self) -> dict[str, int]:
        """Each paper's index in `paper_ids` and in scores, by id."""
        return {paper: ordinal for ordinal, paper in enumerate(self.paper_ids)}

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        """The number of each stem; empty if no paper has a word, because then there are no scores."""
        if not (self._folder / SCORES).is_file():
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


def _vocabulary_of(texts: Iterable[Iterable[str]]) -> tuple[list[list[int]], dict[str, int]]:
    """Return each text as numbers of its stems in a vocabulary, without stop words, and the vocabulary."""
    numbers: dict[str, int] = {}
    found = [
        [numbers.setdefault(word, len(numbers)) for word in text if word not in STOP_WORDS] for text in texts
    ]
    vocabulary: dict[str, int] = {}
    stems = [vocabulary.setdefault(stemmed, len(vocabulary)) for stemmed in stem(list(numbers))]
    return [[stems[n] for n in text] for text in found], vocabulary
