"""BM25 with English stemming over title and abstract; built from the store, memory-mapped.

A title stands in the text three times, which counts its words for more: on every collection measured that found more
than abstract and title alike (eval/README.md).

The engine is bm25s, chosen over SQLite FTS5 and tantivy at 128,353 papers (eval/studies/bench_lexical.py): its queries
take 0.7 ms against 166 and 3.3 ms, and it scores *every* paper, which exact fusion needs. The price is a rebuild
of 12 s where the others add 1,000 papers in 0.1 s. Its files are read here without it: importing it imports scipy, a
seventh of what a fresh search takes. Knows nothing of vectors.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_qa.index.exact import Places
from rag_qa.text.body import body_span
from rag_qa.text.words import ANALYZER, stem, words
from rag_qa.types import Paper

PAPER_IDS = "paper_ids.json"
# What bm25s saves: the scores of each word's papers, one word after the other, the papers, and where each word begins.
SCORES, HOLDERS, STARTS, VOCABULARY = (
    "data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy", "vocab.index.json"
)  # fmt: skip
# Those of bm25s, which are Lucene's.
STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with".split()
)
TITLE_TIMES = 3
RULES = "rules.json"


def build_lexical(folder: Path, papers: Iterable[Paper]) -> list[list[int]]:
    """Write the BM25 index of the papers, in their order, into an empty folder.

    Returns the words of each paper, as their places in the vocabulary. Where no paper has a word (there may be no
    paper), only ids are written: bm25s would divide by zero.
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


def words_as_now(folder: Path) -> bool:
    """Return whether an index was built of the words that a text has today."""
    try:
        return bool(json.loads((folder / RULES).read_text(encoding="utf-8"))["analyzer"] == ANALYZER)
    except (OSError, ValueError, KeyError, TypeError):
        return False


class Lexical:
    """An opened BM25 index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return BM25 of every paper, shape (papers,), in the order of `paper_ids`; 0 where nothing matches."""
        scores = np.zeros(len(self.paper_ids), dtype=np.float32)
        for number in self.numbers(query):
            if number >= 0:
                column = self._column(number)
                scores[self._holders[column]] += self._scores[column]
        return scores

    def numbers(self, query: str) -> list[int]:
        """Return the places of a query's words in the vocabulary, in order; -1 for one that no paper has."""
        return [self._vocabulary.get(word, -1) for word in _tokenize(query)]

    def document_frequencies(self, stems: Sequence[str]) -> dict[str, int]:
        """Return in how many papers each stem occurs."""
        return {stem: self._document_frequency(self._vocabulary.get(stem)) for stem in stems}

    def places_of_all(self, text: str) -> Places:
        """Return the places of the papers that hold every word of a text, in any inflection; none for no words."""
        numbers = [self._vocabulary.get(word) for word in _tokenize(text)]
        if not numbers or None in numbers:
            return np.empty(0, dtype=np.int64)
        lists = [np.asarray(self._holders[self._column(n)], dtype=np.int64) for n in numbers if n is not None]
        return reduce(np.intersect1d, lists[1:], np.sort(lists[0]))

    def papers_with(self, names: Sequence[str]) -> list[int]:
        """Return in how many papers each word occurs, in whatever form."""
        return [min(self.document_frequencies(stem(words(name))).values(), default=0) for name in names]

    def _document_frequency(self, place: int | None) -> int:
        if place is None:
            return 0
        column = self._column(place)
        return int(column.stop - column.start)

    def _column(self, place: int) -> slice:
        """Return where the papers of a word stand, by the word's place in the vocabulary."""
        return slice(int(self._starts[place]), int(self._starts[place + 1]))

    @cached_property
    def paper_ids(self) -> list[str]:
        """The papers' ids, in order."""
        return list(json.loads((self._folder / PAPER_IDS).read_text(encoding="utf-8")))

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each paper stands in `paper_ids` and in scores."""
        return {paper: place for place, paper in enumerate(self.paper_ids)}

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        """The place of each stem; nothing where no paper has a word, so that there are no scores."""
        if not (self._folder / SCORES).is_file():
            return {}
        return dict(json.loads((self._folder / VOCABULARY).read_text(encoding="utf-8")))

    @cached_property
    def _scores(self) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = np.load(self._folder / SCORES, mmap_mode="r")
        return scores

    @cached_property
    def _holders(self) -> NDArray[np.int32]:
        holders: NDArray[np.int32] = np.load(self._folder / HOLDERS, mmap_mode="r")
        return holders

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        starts: NDArray[np.int64] = np.load(self._folder / STARTS, mmap_mode="r")
        return starts


def _tokenize(text: str) -> list[str]:
    """Return the stems of a text's words without the commonest, in order."""
    return stem([word for word in words(text) if word not in STOP_WORDS])


def _vocabulary_of(texts: Iterable[Iterable[str]]) -> tuple[list[list[int]], dict[str, int]]:
    """Return lists of words as places of their stems in a vocabulary (without stop words), and the vocabulary."""
    numbers: dict[str, int] = {}
    found = [
        [numbers.setdefault(word, len(numbers)) for word in text if word not in STOP_WORDS] for text in texts
    ]
    vocabulary: dict[str, int] = {}
    places = [vocabulary.setdefault(stemmed, len(vocabulary)) for stemmed in stem(list(numbers))]
    return [[places[n] for n in text] for text in found], vocabulary
