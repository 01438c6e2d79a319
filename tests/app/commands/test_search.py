"""`rag-qa search`: what it prints, for people and as JSON."""

import json

from rag_qa.answering import assistant
from rag_qa.testing import OverlapReranker


def test_search_prints_papers(run, indexed):
    """`search` prints a rank and a paper, then a score and a passage, for -k papers."""
    code, out, err = run("search", "a competitive game", "-k", "2")
    assert (code, err) == (0, "")
    assert [line[:4] for line in out.splitlines()] == [" 1. ", "    ", " 2. ", "    "]


def test_search_json_is_the_contract(run, indexed):
    """`search --json` prints a list of paper_id, title, score and components, and nothing else."""
    code, out, err = run("search", "principal component analysis", "--json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert [set(row) for row in rows] == [{"paper_id", "title", "status", "score", "components"}] * 3
    assert rows[0]["paper_id"] == "eigengame"
    assert set(rows[0]["components"]) == {"dense", "feedback", "lexical", "pairs"}


def test_search_reranks_on_request(run, indexed, monkeypatch):
    """`search --reranker NAME` opens that reranker and shows its scores among the components."""
    names = []

    def open_one(settings, generator):
        names.append(settings.reranker)
        return OverlapReranker()

    monkeypatch.setattr(assistant, "open_reranker", open_one)
    code, out, _ = run("search", "competitive game", "--reranker", "a-folder", "--json")
    assert (code, names) == (0, ["a-folder"])
    assert all("rerank" in row["components"] for row in json.loads(out))


def test_an_unknown_reranker_is_reported(run, fails_with, indexed):
    """A reranker that is neither in the catalogue nor a folder is an error, for `ask` too."""
    fails_with(run("search", "game", "--reranker", "nobody"), "no reranker called 'nobody'")
    fails_with(run("ask", "Which game?", "--reranker", "nobody"), "no reranker called 'nobody'")
