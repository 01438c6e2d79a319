"""`rag-qa ask`: quotes, prose, abstentions and JSON."""

import io
import json

import pytest

from rag_qa.answering import assistant
from rag_qa.app import model_choice
from rag_qa.backends.locating import STARTER, WRITER, ModelChoice
from rag_qa.testing import QueuedGenerator

WHICH = "which papers discuss a competitive game?"


def test_an_answer_is_on_stdout(run, indexed):
    """`ask` prints quotes with marks, then the papers under their numbers, and nothing on stderr."""
    code, out, err = run("ask", "Which papers present principal component analysis?", "-k", "1")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "\u201cWe present principal component analysis as a competitive game [7].\u201d [1]",
        "",
        "[1] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame",
    ]


PROSE = "Principal component analysis is presented as a competitive game of players."


@pytest.fixture
def writes(monkeypatch):
    """A function that makes the program's language model the writer, with these replies."""

    def write(*replies, choices=()):
        generator = QueuedGenerator(replies, choices=choices)
        generator.load_ahead = lambda: None
        monkeypatch.setenv("RAG_QA_MODEL", WRITER)
        monkeypatch.setattr(assistant, "open_generator", lambda settings: generator)
        return generator

    return write


def test_prose_stands_above_its_papers_and_quotes(run, indexed, writes):
    """`ask` prints prose with marks, then under each mark the paper and the verbatim quote."""
    writes(PROSE)
    code, out, err = run("ask", "What is principal component analysis?")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{PROSE} [1]",
        "",
        "[1] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame",
        "    \u201cWe present principal component analysis as a competitive game [7].\u201d",
    ]


def test_a_list_shows_each_quote_once(run, indexed, writes):
    """A list with an introduction prints each paper's quote as a sentence, and not again under the paper."""
    writes(" presents principal component analysis as a competitive game.")
    code, out, err = run("ask", "Which papers present principal component analysis?", "-k", "1")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "The paper \u201cEigenGame: PCA as a Nash Equilibrium\u201d presents principal component analysis as a "
        "competitive game. [1]",
        "\u201cWe present principal component analysis as a competitive game [7].\u201d [1]",
        "",
        "[1] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame",
    ]


def test_a_refusal_of_the_model_is_an_answer(run, indexed, writes, monkeypatch):
    """If the model reads that the papers do not state the answer, `ask` says so and names what is near."""
    writes(choices=[(0.01, 0.99)])
    monkeypatch.delenv("RAG_QA_MIN_RELEVANCE")
    code, out, err = run("ask", "What is principal component analysis?")
    assert (code, err) == (0, "")
    assert out.startswith("The papers don't say: ")
    assert "Nearest papers, which do not answer it:" in out


WHY = "the writer is not on this machine; `rag-qa models pull X` (1.1 GB) brings it"


@pytest.fixture
def fallen_back(monkeypatch):
    """`auto` finds no writer."""
    monkeypatch.delenv("RAG_QA_MODEL")
    monkeypatch.setattr(model_choice, "choose_model", lambda model: ModelChoice(name=STARTER, reason=WHY))


def test_why_the_starter_serves_is_said_once(run, indexed, fallen_back, monkeypatch):
    """If `auto` fell back, `ask` and `chat` say why in one line on stderr, and stdout is the answer alone."""
    said = f"rag-qa: {STARTER} serves: {WHY}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WHICH}\n{WHICH}\n/quit\n"))
    for arguments in (["ask", WHICH], ["ask", WHICH, "--json"], ["chat"]):
        code, out, err = run(*arguments)
        assert (code, err) == (0, said)
        assert WHY not in out


def test_where_no_model_is_wanted_nothing_is_said_of_one(run, fails_with, indexed, fallen_back):
    """In quotes, in search, and where the run fails anyway, nothing is said of the language model."""
    assert run("ask", WHICH, "--style", "quote")[2] == ""
    assert run("search", "game")[2] == ""
    fails_with(run("ask", WHICH, "--index", "nowhere"), "no finished index")


def test_ask_json_is_the_contract(run, indexed):
    """`ask --json` prints the documented fields of the answer, its sentences, citations and papers."""
    code, out, err = run("ask", WHICH, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    fields = "question abstained reason sentences papers provenance timings"
    assert set(fields.split()) <= set(answer)
    assert (answer["question"], answer["abstained"], answer["reason"]) == (WHICH, False, None)
    for sentence in answer["sentences"]:
        assert set(sentence) == {"text", "kind", "verdict", "citations"}
        assert [set(citation) for citation in sentence["citations"]] == [
            {"paper_id", "quote", "start", "end"}
        ]
    for paper in answer["papers"]:
        assert set("id title abstract authors year venue url".split()) <= set(paper)


def test_json_papers_stand_in_order_of_citation(run, indexed):
    """The papers of the JSON come in the order in which sentences cite them, with the quotes cut from them."""
    answer = json.loads(run("ask", WHICH, "--json")[1])
    citations = [c for sentence in answer["sentences"] for c in sentence["citations"]]
    papers = {paper["id"]: paper for paper in answer["papers"]}
    assert list(papers) == list(dict.fromkeys(c["paper_id"] for c in citations))
    for citation in citations:
        abstract = papers[citation["paper_id"]]["abstract"]
        assert abstract[citation["start"] : citation["end"]] == citation["quote"]


def test_an_abstention_is_no_failure(run, indexed, monkeypatch):
    """If the papers don't say, that is the answer: status 0, a reason, the nearest papers."""
    monkeypatch.setenv("RAG_QA_MIN_RELEVANCE", "1")
    code, out, err = run("ask", "How do bees find their hive?")
    assert (code, err) == (0, "")
    assert out.startswith("The papers don't say: ")
    answer = json.loads(run("ask", "How do bees find their hive?", "--json")[1])
    assert answer["abstained"]
    assert answer["reason"]
    assert answer["sentences"] == []
