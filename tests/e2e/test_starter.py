"""The engine with the two starter models over the sample papers, as a newcomer has it."""

import pytest

from rag_qa import Assistant, Settings, build_index
from rag_qa.answering.receipts.replay import compare
from rag_qa.answering.receipts.verify import recheck
from rag_qa.answering.receipts.write import read_receipt, write_receipt
from rag_qa.app.commands.replay import saved_settings
from rag_qa.backends.locating import STARTER
from rag_qa.sample import sample_papers_path

pytestmark = pytest.mark.model

DEMO = "which papers discuss eigendecomposition as a game?"
EIGENGAMES = {"arXiv:2010.00554", "arXiv:2102.04152", "arXiv:2206.04993"}
FACTS = (
    "What does EigenGame show about principal component analysis?",
    "What does dropout do during training?",
)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """An index of the sample papers."""
    folder = tmp_path_factory.mktemp("starter") / "index"
    build_index([sample_papers_path()], folder)
    return folder


@pytest.fixture(scope="module")
def quoting(index):
    """An assistant in the style that the catalogue gives the starter: quotes."""
    with Assistant.open(index, settings=Settings(model=STARTER)) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def writing(index):
    """An assistant that lets the starter write, a sentence or two at most."""
    with Assistant.open(
        index, settings=Settings(model=STARTER, style="synthesis", max_tokens=80)
    ) as assistant:
        yield assistant


def check_quotes(answer):
    """Every citation is a verbatim cut of a paper of the answer."""
    papers = {paper.id: paper for paper in answer.papers}
    citations = [citation for sentence in answer.sentences for citation in sentence.citations]
    assert citations
    for citation in citations:
        assert papers[citation.paper_id].abstract[citation.start : citation.end] == citation.quote


def test_the_question_of_the_demo(quoting):
    """The three EigenGame papers and no other answer the demo's question, each with a verbatim quote."""
    answer = quoting.ask(DEMO)
    check_quotes(answer)
    assert {paper.id for paper in answer.papers} == EIGENGAMES
    assert all(sentence.kind == "quote" for sentence in answer.sentences)


@pytest.mark.parametrize(
    "question", ["How do I bake a chocolate cake?", "Who won the football world cup in 2014?"]
)
def test_what_the_papers_do_not_say(quoting, question):
    """A question far from all papers is refused, with the nearest papers shown as such."""
    answer = quoting.ask(question)
    assert answer.abstained
    assert answer.nearest


@pytest.mark.parametrize("question", FACTS)
def test_prose_of_the_starter_is_quoted_or_supported(writing, question):
    """Asked for prose, the small model's sentences are kept only where what they cite supports them."""
    answer = writing.ask(question)
    assert answer.abstained == (not answer.sentences)
    if answer.sentences:
        check_quotes(answer)
    assert answer.provenance["generator"]["name"] == "SmolLM2-135M-Instruct"
    assert {sentence.verdict.label for sentence in answer.sentences} <= {"supported"}


def test_the_same_question_has_the_same_answer(writing):
    """At temperature 0 with a fixed seed, prose is the same twice over."""
    first, second = (writing.ask(FACTS[0]) for _ in range(2))
    assert first.sentences == second.sentences


def test_saved_prose_comes_again(writing, index, tmp_path):
    """Prose that was saved in the middle of a session passes its checks, and is identical in a session of its own."""
    writing.ask(FACTS[1])
    answer = writing.ask(FACTS[0])
    write_receipt(answer, tmp_path / "answer.json")
    saved = read_receipt(tmp_path / "answer.json")
    assert {check.status for check in recheck(saved)} == {"ok"}
    assert saved.answer.model_input is not None
    with Assistant.open(index, settings=saved_settings(saved.answer, tmp_path)) as another:
        found = compare(saved.answer, another.again(saved.answer))
    assert (found.difference, found.changes) == (None, ())
