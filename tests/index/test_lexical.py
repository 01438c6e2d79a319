"""BM25 as it is read here, against bm25s itself."""

import bm25s  # type: ignore[import-untyped]
import numpy as np
import pytest
from bm25s.stopwords import STOPWORDS_EN  # type: ignore[import-untyped]

from rag_qa.index.lexical import STOP_WORDS, Lexical, build_lexical
from rag_qa.types import Paper

PAPERS = [
    Paper(
        id="a", title="Games", abstract="Players play games, and the games of players are played by players."
    ),
    Paper(id="b", title="Bees", abstract="Bees dance; no player is a bee."),
    Paper(id="c", title="Soup", abstract="Nothing is said of it."),
]


@pytest.fixture
def folder(tmp_path):
    """A folder with the index of the papers."""
    build_lexical(tmp_path, PAPERS)
    return tmp_path


def test_stop_words_are_those_of_bm25s():
    """The words that are left out are the library's list."""
    assert frozenset(STOPWORDS_EN) == STOP_WORDS


@pytest.mark.parametrize("query", ["players", "game game bees", "dancing players", "soup unheardof"])
def test_scores_are_those_of_bm25s(folder, query):
    """Each paper's score is what the library gives for its own files, words that repeat included."""
    lexical = Lexical(folder)
    known = [number for number in lexical.numbers(query) if number >= 0]
    expected = bm25s.BM25.load(str(folder)).get_scores(known)
    np.testing.assert_array_equal(lexical.scores(query), expected)
    assert expected.any()


def test_unknown_words_score_nothing(folder):
    """A query of words that no paper has, or of stop words alone, gives every paper 0."""
    for query in ("unheardof", "the and of"):
        assert Lexical(folder).scores(query).tolist() == [0, 0, 0]


def test_papers_without_words_are_opened(tmp_path):
    """An index of papers without a word answers with zeros."""
    build_lexical(tmp_path, [Paper(id="a", title="", abstract="…")])
    lexical = Lexical(tmp_path)
    assert lexical.scores("games").tolist() == [0]
    assert lexical.document_frequencies(["game"]) == {"game": 0}
