"""The sample corpus and the two question sets that judge the system."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from rag_qa.corpus.merging import merge_papers
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import expand_sources
from rag_qa.evaluation.datasets import QuestionSet, load_question_set
from rag_qa.evaluation.facts import states
from rag_qa.sample import sample_papers_path
from rag_qa.types import Paper

ROOT = Path(__file__).parents[1]
SEEDS = Path(os.environ.get("RAG_QA_SHARED", ROOT.parent / "shared")) / "seeds"
EIGENGAMES = {"arXiv:2010.00554", "arXiv:2102.04152", "arXiv:2206.04993"}
LEAST = {"which": 16, "fact": 24, "comparison": 8, "near": 8, "far": 8, "hostile": 6}


@pytest.fixture(scope="module")
def sample() -> dict[str, Paper]:
    lines = sample_papers_path().read_text("utf-8").splitlines()
    papers = [Paper.model_validate_json(line) for line in lines]
    assert len({paper.id for paper in papers}) == len(papers)
    return {paper.id: paper for paper in papers}


@pytest.fixture(scope="module", params=["sample", "seeds"])
def questions(request: pytest.FixtureRequest) -> QuestionSet:
    return load_question_set(ROOT / "eval" / "sets" / request.param)


def unstated_facts(questions: QuestionSet, papers: dict[str, Paper]) -> list[tuple[str, str]]:
    """The key facts, by question id and first wording, that no gold paper of the question states."""
    return [
        (question.id, fact[0])
        for question in questions.questions
        for fact in question.key_facts
        if not any(states(papers[paper_id].abstract, fact) for paper_id in questions.qrels[question.id])
    ]


def test_sample_holds_sixty_papers(sample: dict[str, Paper]) -> None:
    """The sample corpus has 60 papers with distinct titles, the three EigenGame papers among them."""
    assert len(sample) == 60
    assert len({paper.title.casefold() for paper in sample.values()}) == 60
    assert set(sample) >= EIGENGAMES


def test_sample_is_labelled_as_synopses(sample: dict[str, Paper]) -> None:
    """Every sample paper is marked as a synopsis, so that it is never shown as the authors' abstract."""
    assert {paper.kind for paper in sample.values()} == {"synopsis"}


def test_sample_papers_are_fully_described(sample: dict[str, Paper]) -> None:
    """Every sample paper has authors, venue, year and one arXiv id that its id and URL agree with."""
    for paper in sample.values():
        assert paper.title
        assert paper.authors
        assert paper.venue
        assert paper.arxiv_id
        assert paper.year is not None
        assert paper.id == f"arXiv:{paper.arxiv_id}"
        assert paper.url == f"https://arxiv.org/abs/{paper.arxiv_id}"


def test_sample_years_are_those_of_the_venues(sample: dict[str, Paper]) -> None:
    """A paper's year is that of the venue it names: the preprint's year where that is arXiv, else up to two later."""
    for paper in sample.values():
        assert paper.arxiv_id
        assert paper.year is not None
        later = paper.year - 2000 - int(paper.arxiv_id[:2])
        assert later == 0 if paper.venue == "arXiv" else 0 <= later <= 2, paper.title
    known = {"1810.04805": 2019, "1512.03385": 2016, "1412.6980": 2015, "2010.00554": 2021, "0909.4061": 2011}
    assert {arxiv_id: sample[f"arXiv:{arxiv_id}"].year for arxiv_id in known} == known


def test_synopses_are_short_paragraphs(sample: dict[str, Paper]) -> None:
    """Every synopsis has four to seven sentences and 70 to 140 words."""
    for paper in sample.values():
        sentences = re.findall(r"[.?!](?=\s|$)", paper.abstract)
        assert 4 <= len(sentences) <= 7, paper.title
        assert 70 <= len(paper.abstract.split()) <= 140, paper.title


def test_sets_cover_every_kind(questions: QuestionSet) -> None:
    """Each question set has at least 66 questions, and enough of every kind to be told apart."""
    counts = Counter(question.kind for question in questions.questions)
    assert sum(counts.values()) >= 66
    assert all(counts[kind] >= least for kind, least in LEAST.items()), counts


def test_questions_are_distinct(questions: QuestionSet) -> None:
    """No question is asked twice in a set."""
    texts = [question.text.casefold() for question in questions.questions]
    assert len(set(texts)) == len(texts)


def test_gold_and_facts_match_the_kind(questions: QuestionSet) -> None:
    """Only answerable questions have gold papers, and only factual ones have short key facts."""
    for question in questions.questions:
        assert question.answerable == (question.id in questions.qrels), question.id
        if question.kind in ("which", "fact", "comparison"):
            assert question.answerable, question.id
        assert bool(question.key_facts) == (question.answerable and question.kind != "which"), question.id
        forms = [form for fact in question.key_facts for form in fact]
        assert all(len(form.split()) <= 6 for form in forms), question.id


def test_hostile_questions_come_in_both_sorts(questions: QuestionSet) -> None:
    """Some hostile questions hide a real question, and some have no answer."""
    hostile = [question.answerable for question in questions.questions if question.kind == "hostile"]
    assert set(hostile) == {True, False}


def test_sample_gold_papers_exist(sample: dict[str, Paper]) -> None:
    """The gold papers of the sample set are exactly the papers of the sample corpus."""
    questions = load_question_set(ROOT / "eval" / "sets" / "sample")
    assert {paper_id for grades in questions.qrels.values() for paper_id in grades} == set(sample)


def test_sample_facts_stand_in_gold_papers(sample: dict[str, Paper]) -> None:
    """Every key fact of the sample set stands in the synopsis of one of the question's gold papers."""
    assert unstated_facts(load_question_set(ROOT / "eval" / "sets" / "sample"), sample) == []


def test_sample_reads_as_it_is_written(sample: dict[str, Paper]) -> None:
    """The reader takes every line of the sample corpus and merges none of them."""
    (file,) = expand_sources([sample_papers_path()])
    reading = read_source(file)
    assert reading.skipped == ()
    assert {paper.id: paper.abstract for paper in merge_papers(reading.papers)} == {
        paper.id: paper.abstract for paper in sample.values()
    }


@pytest.mark.shared
@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed listings are not given")
def test_seed_questions_match_the_seed_papers() -> None:
    """The seed set's gold ids name the 42 seed papers, and its key facts stand in their abstracts."""
    readings = [read_source(file) for file in expand_sources([SEEDS])]
    merged = merge_papers([paper for reading in readings for paper in reading.papers])
    papers = {paper.id: paper for paper in merged}
    questions = load_question_set(ROOT / "eval" / "sets" / "seeds")
    assert {paper_id for grades in questions.qrels.values() for paper_id in grades} == set(papers)
    assert unstated_facts(questions, papers) == []
