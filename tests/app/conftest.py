"""A folder of three papers, one of them hostile, and its index; for the tests of commands."""

import json
import shutil

import pytest

from rag_qa import build_index
from rag_qa.answering import assistant
from rag_qa.app.options import DEFAULT_INDEX
from rag_qa.backends.locating import STARTER
from rag_qa.index import builder
from rag_qa.testing import HashingEmbedder

ESCAPED = "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x9b2J"
PAPERS = [
    {
        "id": "eigengame",
        "title": "EigenGame: PCA as a Nash Equilibrium",
        "abstract": "We present principal component analysis as a competitive game [7]. Players own eigenvectors.",
        "authors": ["Ian Gemp", "Brian McWilliams"],
        "year": 2020,
        "venue": "ICLR",
        "url": "https://arxiv.org/abs/2010.00554",
    },
    {
        "id": "markup",
        "title": "On [bold]markup[/] and [/]",
        "abstract": "Markup such as [red]this[/red] is a trap in a competitive game of parsers.",
    },
    {
        "id": f"escapes {ESCAPED}",
        "title": f"On escapes {ESCAPED}",
        "abstract": f"An abstract with {ESCAPED} escapes speaks of a competitive game of terminals, in which whoever "
        "moves the cursor first has won, and of the many ways in which a reader may be led astray by it.",
        "authors": [f"A {ESCAPED} B"],
        "venue": f"V {ESCAPED}",
    },
]


@pytest.fixture
def papers():
    """The records of the papers."""
    return PAPERS


@pytest.fixture
def papers_folder(tmp_path, monkeypatch):
    """A working directory with papers.jsonl, without settings of the machine, and with a fake embedder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_QA_MIN_RELEVANCE", "0")
    monkeypatch.setenv("RAG_QA_MODEL", STARTER)
    monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())
    monkeypatch.setattr(builder, "open_embedder", lambda settings: HashingEmbedder())
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)))
    return tmp_path


@pytest.fixture(scope="session")
def built_papers(tmp_path_factory):
    """A folder with papers.jsonl and its index in the default place."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)))
    build_index([folder / "papers.jsonl"], folder / DEFAULT_INDEX, embedder=HashingEmbedder())
    return folder


@pytest.fixture
def indexed(built_papers, papers_folder):
    """The working directory with a copy of that index."""
    shutil.copytree(built_papers / DEFAULT_INDEX, papers_folder / DEFAULT_INDEX)
    return papers_folder


@pytest.fixture
def fails_with():
    """A function that asserts status 1, one line on stderr that holds some words, and nothing on stdout."""

    def check(result, words):
        code, out, err = result
        assert (code, out) == (1, "")
        assert err.startswith("rag-qa: ")
        assert err.count("\n") == 1
        assert words in err

    return check
