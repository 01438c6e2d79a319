import json

import pytest

from rag_qa import Assistant, Settings, build_index
from rag_qa.answering.metadata_answers import metadata_sentence, papers_asked_about
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Paper, Query

ROWS = [
    {
        "id": "flow",
        "title": "TinyFlow: Normalizing Flows with Few Parameters",
        "abstract": "A flow with one shared network is small. It is quick too.",
        "authors": ["Ada Brontë", "Max Hill", "Li Long"],
        "venue": "ICML",
        "year": 2020,
    },
    {
        "id": "audio",
        "title": "Waveform Flows",
        "abstract": "A flow turns noise into waveforms of speech.",
        "authors": ["Li Long"],
        "year": 2022,
    },
    {"id": "bare", "title": "Coupling flows", "abstract": "A flow is made of coupling layers."},
]
PAPERS = [Paper.model_validate(row) for row in ROWS]
WHICH = "which papers are about a flow?"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    """An assistant in quotes over three papers; one has no metadata."""
    folder = tmp_path_factory.mktemp("metadata")
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    settings = Settings(model=STARTER, style="quote", min_relevance=0.0)
    with Assistant.open(folder / "index", settings=settings, embedder=HashingEmbedder()) as opened:
        yield opened


def follow_up(assistant, question):
    """The answer to a question after a list of all three papers, in the order of ROWS."""
    listed = assistant.ask(WHICH).model_copy(update={"papers": tuple(assistant.paper(p.id) for p in PAPERS)})
    return assistant.ask(question, history=[listed])


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (
            "who wrote the first one?",
            "Written by Ada Brontë, Max Hill and Li Long (2020), according to the index's metadata. [1]",
        ),
        ("who wrote the second one?", "Written by Li Long (2022), according to the index's metadata. [1]"),
        ("when was the first one published?", "Published in 2020, according to the index's metadata. [1]"),
        ("where was the first one published?", "Published in ICML, according to the index's metadata. [1]"),
        (
            "venue and authors of the third?",
            "The index names no authors; the index names no venue. [1]",
        ),
        (
            "who wrote TinyFlow?",
            "Written by Ada Brontë, Max Hill and Li Long (2020), according to the index's metadata. [1]",
        ),
    ],
)
def test_metadata_answer_what_only_they_know(assistant, question, text):
    """Authors, year and venue are given in a sentence that names its source, and missing ones are named as missing."""
    assert follow_up(assistant, question).text == text


def test_a_sentence_on_metadata_cites_its_paper(assistant):
    """Its citation is the first sentence of the abstract, and its verdict says that the abstract is not the source."""
    reply = follow_up(assistant, "who wrote the first one?")
    (sentence,) = reply.sentences
    (citation,) = sentence.citations
    assert (sentence.kind, sentence.verdict.label) == ("metadata", "supported")
    assert "metadata" in sentence.verdict.reasons[0]
    assert citation.quote == "A flow with one shared network is small."
    assert reply.papers[0].abstract[citation.start : citation.end] == citation.quote


def test_the_newest_comes_first(assistant):
    """A question for the newest is answered with every year, newest first; for the oldest, oldest first."""
    years = [sentence.text for sentence in follow_up(assistant, "which is the newest?").sentences]
    assert ["2022" in years[0], "2020" in years[1], "no year" in years[2]] == [True] * 3
    oldest = follow_up(assistant, "which of these is the oldest?").papers
    assert [paper.id for paper in oldest] == ["flow", "audio", "bare"]


def test_a_paper_named_in_full_needs_no_turn_before(assistant):
    """ "Who wrote the TinyFlow paper?" is answered from metadata as a first question too."""
    assert "Ada Brontë" in assistant.ask("who wrote the TinyFlow paper?").text


@pytest.mark.parametrize(
    "question", ["who works on flows?", "when does TinyFlow converge?", "who proposed flows for speech?"]
)
def test_a_question_on_content_is_not_answered_by_metadata(question):
    """A question with words beside the paper's name is answered by the abstracts."""
    query = Query(text=question, topic=question, wanted=("authors", "year"))
    assert papers_asked_about(query, PAPERS) == []


def test_follow_ups_can_be_switched_off(tmp_path):
    """With `resolve_followups` off, every question is asked word for word."""
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", embedder=HashingEmbedder())
    settings = Settings(model=STARTER, style="quote", min_relevance=0.0, resolve_followups=False)
    with Assistant.open(tmp_path / "index", settings=settings, embedder=HashingEmbedder()) as literal:
        listed = literal.ask(WHICH)
        assert literal.ask("is the second one small?", history=[listed]).query.understood_as is None


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (2, "Written by A0 and A1,"),
        (20, "A18 and A19,"),
        (21, "A8, A9 and 11 others,"),
        (3000, "A8, A9 and 2,990 others,"),
    ],
)
def test_of_a_large_collaboration_the_first_are_named(count, said):
    """Up to twenty authors are all named; of more the first ten, and how many others there are."""
    paper = Paper(id="p", abstract="Tea is warm.", authors=tuple(f"A{n}" for n in range(count)))
    assert said in metadata_sentence(paper, ["authors"]).text


def test_authors_that_a_source_leaves_out_are_et_al():
    """If the source's list of authors is cut short, the answer says "et al."."""
    paper = Paper(id="p", abstract="Tea is warm.", authors=("Ann", "Bo"), more_authors=True)
    assert "Written by Ann, Bo et al.," in metadata_sentence(paper, ["authors"]).text
