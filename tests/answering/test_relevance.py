"""Relevance: what counts as speaking to a question, and what stands beside it."""

import pytest

from rag_qa.answering.evidence import score_sentences
from rag_qa.answering.relevance import (
    WITHIN_REACH,
    Relevance,
    Signals,
    assess,
    default_threshold,
    keep_relevant,
    probability,
)
from rag_qa.answering.terms import question_terms
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Hit, Paper, Passage

FIELDS = tuple(Signals.model_fields)
NOTHING = Signals(**dict.fromkeys(FIELDS, 0.0))
EVERYTHING = Signals(**dict.fromkeys(FIELDS, 1.0))


def paper(paper_id: str, text: str) -> Paper:
    return Paper(id=paper_id, title="", abstract=text)


def hit(of: Paper, similarity: float) -> Hit:
    passage = Passage(id=f"{of.id}#0", paper_id=of.id, text=of.abstract, start=0, end=len(of.abstract))
    return Hit(paper=of, passage=passage, score=1.0, rank=1, components={"dense": similarity, "lexical": 0.0})


def relevance(paper_id: str, chance: float, likeness: float) -> Relevance:
    signals = NOTHING.model_copy(update={"passage_similarity": likeness, "sentence_similarity": likeness})
    return Relevance(paper_id=paper_id, probability=chance, sentences=(), signals=signals)


def test_probability_is_low_without_signals_and_high_with_all():
    """A paper that shares nothing with the question is improbable, one that shares everything nearly certain."""
    assert probability(NOTHING) < 0.01
    assert probability(EVERYTHING) > 0.9


@pytest.mark.parametrize("field", FIELDS)
def test_each_signal_speaks_for_relevance(field):
    """More of any signal never makes a paper less probable."""
    middle = dict.fromkeys(FIELDS, 0.5)
    assert probability(Signals(**middle | {field: 0.9})) > probability(Signals(**middle | {field: 0.1}))


def test_the_shipped_threshold_is_a_probability():
    """The calibrated threshold refuses nothing related and accepts nothing unrelated outright."""
    assert probability(NOTHING) < default_threshold() < probability(EVERYTHING)


def test_the_paper_with_the_words_of_the_question_comes_first():
    """Papers come most probable first, each with its own sentences only."""
    papers = [
        paper("tea", "Green tea is brewed at eighty degrees."),
        paper("pca", "PCA is cast as a game of players."),
    ]
    question = "PCA as a game"
    terms = question_terms(question)
    sentences = score_sentences(question, terms, papers, dict.fromkeys(terms, 1.0), HashingEmbedder())
    found = assess([hit(p, 0.2) for p in papers], sentences, terms, dict.fromkeys(terms, 1.0))
    assert [r.paper_id for r in found] == ["pca", "tea"]
    assert all(s.paper_id == r.paper_id for r in found for s in r.sentences)
    assert found[0].signals.paper_coverage == 1.0
    assert found[1].signals.paper_coverage == 0.0


def test_nothing_is_kept_where_the_best_does_not_reach_the_threshold():
    """Where even the most probable paper does not reach the threshold, there is no evidence at all."""
    assert keep_relevant([relevance("a", 0.29, 0.9), relevance("b", 0.1, 0.9)], 0.3) == []
    assert keep_relevant([], 0.3) == []


def test_a_paper_near_the_best_is_kept_and_a_far_one_is_not():
    """An improbable paper stands beside the best only where its likeness comes near that of the best."""
    best = relevance("best", 0.9, 0.8)
    near = relevance("near", 0.1, 0.8 * WITHIN_REACH + 0.01)
    far = relevance("far", 0.1, 0.8 * WITHIN_REACH - 0.01)
    assert [r.paper_id for r in keep_relevant([best, near, far], 0.3)] == ["best", "near"]


def test_a_probable_paper_is_kept_however_far_from_the_best():
    """A paper that reaches the threshold is kept whatever its likeness."""
    kept = keep_relevant([relevance("best", 0.9, 0.8), relevance("sure", 0.5, 0.1)], 0.3)
    assert [r.paper_id for r in kept] == ["best", "sure"]
