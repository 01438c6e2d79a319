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


def test_files_are_those_of_bm25s(tmp_path):
    """Scores of all papers at once are the library's own, to the last bit, and so are the files."""
    chance = np.random.default_rng(3)
    texts = [" ".join(f"w{n}" for n in chance.zipf(1.3, size=chance.integers(0, 200))) for _ in range(300)]
    papers = [
        Paper(id=f"{n:03}", title=f"title {n % 9}", abstract=text or "…") for n, text in enumerate(texts)
    ]
    (tmp_path / "ours").mkdir()
    found = build_lexical(tmp_path / "ours", papers)
    tokens = [part.tolist() for part in np.split(found.numbers, found.ends[1:-1])]
    library = bm25s.BM25()
    vocabulary = dict(Lexical(tmp_path / "ours")._vocabulary)
    vocabulary.pop("", None)
    library.index((tokens, vocabulary), show_progress=False)
    library.save(str(tmp_path / "theirs"), show_progress=False)
    for path in sorted((tmp_path / "theirs").iterdir()):
        assert (tmp_path / "ours" / path.name).read_bytes() == path.read_bytes(), path.name
