"""Evidence: sentences with exact offsets, scored against the question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.answering.evidence.choosing import WORTH_READING, choose_sentences
from rag_qa.answering.evidence.scoring import ScoredSentence, label, score_sentences
from rag_qa.answering.evidence.relevance import Relevance, Signals
from rag_qa.text.words import content_terms, coverage, question_terms
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Paper

GAME = Paper(
    id="game",
    title="PCA as a game",
    abstract="We cast PCA as a game. Each player owns an eigenvector of the data. The result is a Nash equilibrium.",
)
UNTITLED = Paper(
    id="gemma",
    abstract="We introduce Gemma, a family of models. It comes in 2 billion and 7 billion parameters.",
)


def scored(question: str, *papers: Paper) -> list[ScoredSentence]:
    terms = question_terms(question)
    return score_sentences(question, terms, papers, dict.fromkeys(terms, 1.0), HashingEmbedder())


def sentence(text: str, score: float, paper_id: str = "a") -> ScoredSentence:
    return ScoredSentence(
        paper_id=paper_id, text=text, start=0, end=len(text), similarity=score, coverage=score
    )


def relevant(paper_id: str, *sentences: ScoredSentence) -> Relevance:
    signals = Signals(**dict.fromkeys(Signals.model_fields, 0.5))
    return Relevance(paper_id=paper_id, probability=0.5, sentences=sentences, signals=signals)


@given(st.text(min_size=1, max_size=300))
def test_every_sentence_is_cut_from_its_abstract(text):
    """Whatever the abstract holds, a sentence is the text between its offsets."""
    paper = Paper(id="x", abstract=f"{text} A sentence about games.")
    for found in scored("games", paper):
        assert paper.abstract[found.start : found.end] == found.text


def test_the_sentence_that_shares_the_questions_words_comes_first():
    """The best sentence is the one that speaks of what was asked."""
    assert (
        scored("which player owns an eigenvector?", GAME)[0].text
        == "Each player owns an eigenvector of the data."
    )


def test_an_untitled_papers_opening_words_count_for_its_sentences():
    """A sentence need not repeat the name that its untitled paper opens with."""
    by_text = {s.text: s.coverage for s in scored("Gemma parameters", UNTITLED)}
    assert by_text["It comes in 2 billion and 7 billion parameters."] == 1.0


def test_a_score_is_the_mean_of_three_signals():
    """Similarity, coverage and alignment count alike; alignment is the sum over the words met."""
    found = sentence("a", 0.3).model_copy(update={"coverage": 0.6, "met": (0.2, 0.1)})
    assert found.alignment == pytest.approx(0.3)
    assert found.score == pytest.approx(0.4)
    assert scored("which player owns an eigenvector?", GAME)[0].alignment == pytest.approx(1.0)


def test_no_papers_give_no_sentences():
    """Without papers nothing is scored and nothing is embedded."""
    embedder = HashingEmbedder()
    assert score_sentences("games", ["game"], [], {"game": 1.0}, embedder) == []
    assert embedder.encoded == []


def test_labels_count_from_one_in_the_order_given():
    """Evidence is labelled 1, 2, … and keeps text, offsets and paper."""
    evidence = label([sentence("b", 0.9), sentence("a", 0.1)])
    assert [(e.label, e.sentence) for e in evidence] == [(1, "b"), (2, "a")]


def test_a_list_of_papers_shows_each_ones_best_sentence():
    """A which-question quotes one sentence a paper, in the papers' order, and at most so many papers."""
    papers = [
        relevant("a", sentence("a1", 0.5), sentence("a2", 0.4)),
        relevant("b", sentence("b1", 0.9, "b")),
    ]
    assert [s.text for s in choose_sentences(papers, "which", sentences=9, papers=9)] == ["a1", "b1"]
    assert len(choose_sentences(papers, "which", sentences=9, papers=1)) == 1


def test_a_fact_is_answered_by_the_best_sentences_of_all_papers():
    """A fact quotes the best sentences wherever they stand, without those far below the best."""
    worth, poor = WORTH_READING + 0.05, WORTH_READING - 0.05
    papers = [
        relevant("a", sentence("a1", worth), sentence("a2", poor)),
        relevant("b", sentence("b1", 1.0, "b")),
    ]
    assert [s.text for s in choose_sentences(papers, "fact", sentences=3, papers=9)] == ["b1", "a1"]


def test_a_comparison_keeps_its_papers_apart():
    """A comparison quotes the best sentences of each of two papers, one paper after the other."""
    papers = [
        relevant("a", sentence("a1", 0.4), sentence("a2", 0.39), sentence("a3", 0.38)),
        relevant("b", sentence("b1", 1.0, "b"), sentence("b2", WORTH_READING - 0.05, "b")),
        relevant("c", sentence("c1", 0.9, "c")),
    ]
    chosen = choose_sentences(papers, "comparison", sentences=2, papers=9)
    assert [s.text for s in chosen] == ["a1", "a2", "b1"]
    alone = choose_sentences(papers[1:2], "comparison", sentences=2, papers=9)
    assert [s.text for s in alone] == ["b1"]


def test_terms_leave_out_what_only_asks():
    """A question's terms are its content stems; words that merely ask for papers are left out."""
    assert question_terms("Which papers discuss the eigendecompositions of games?") == content_terms(
        "eigendecomposition game"
    )


def test_a_question_of_asking_words_alone_keeps_them():
    """A question that has nothing but asking words is still searched by them."""
    assert question_terms("which papers?") == content_terms("papers")


def test_coverage_weighs_terms():
    """Coverage is the share of weight found, and nothing wanted is nothing covered."""
    assert coverage(["a", "b"], ["b"], {"a": 1.0, "b": 3.0}) == 0.75
    assert coverage([], ["b"], {}) == 0.0
