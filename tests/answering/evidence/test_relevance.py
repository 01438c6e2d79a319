"""Relevance: whether papers are on a question's topic, and which of them count."""

import pytest

from rag_qa.answering.evidence.relevance import (
    READ_PAPERS,
    Relevance,
    Signals,
    assess,
    is_on_topic,
    keep_relevant,
    paper_probability,
    question_probability,
    threshold,
    worth_reading,
)
from rag_qa.answering.evidence.scoring import score_sentences
from rag_qa.testing import HashingEmbedder
from rag_qa.text.words import question_terms
from rag_qa.types import Hit, Paper, Passage

FIELDS = tuple(Signals.model_fields)
NOTHING = Signals(**dict.fromkeys(FIELDS, 0.0))
EVERYTHING = Signals(**dict.fromkeys(FIELDS, 1.0))


def paper(paper_id: str, text: str) -> Paper:
    return Paper(id=paper_id, title="", abstract=text)


def hit(of: Paper, similarity: float) -> Hit:
    passage = Passage(id=f"{of.id}#0", paper_id=of.id, text=of.abstract, start=0, end=len(of.abstract))
    components = {"dense": similarity, "feedback": similarity, "lexical": 0.0}
    return Hit(paper=of, passage=passage, score=1.0, rank=1, components=components)


def relevance(paper_id: str, chance: float, signals: Signals = EVERYTHING) -> Relevance:
    return Relevance(paper_id=paper_id, probability=chance, sentences=(), signals=signals)


def test_a_question_is_improbable_without_signals_and_probable_with_all():
    """Papers that share nothing with the question do not speak to it, those that share everything do."""
    assert question_probability(NOTHING) < 0.1
    assert question_probability(EVERYTHING) > 0.95


@pytest.mark.parametrize("field", FIELDS)
def test_each_signal_speaks_for_relevance(field):
    """More of any signal never makes a paper, nor the question, less probable."""
    middle = dict.fromkeys(FIELDS, 0.5)
    more, less = Signals(**middle | {field: 0.9}), Signals(**middle | {field: 0.1})
    assert paper_probability(more, EVERYTHING) > paper_probability(less, EVERYTHING)
    assert question_probability(more) >= question_probability(less)


def test_a_paper_far_behind_the_best_is_less_probable():
    """The same paper counts for less beside one that is much more like the question."""
    paper = Signals(**dict.fromkeys(FIELDS, 0.4))
    assert paper_probability(paper, paper) > paper_probability(paper, EVERYTHING)


def test_the_shipped_threshold_lies_between_nothing_and_everything():
    """The calibrated threshold refuses what shares nothing and answers what shares everything."""
    assert question_probability(NOTHING) < threshold("question") < question_probability(EVERYTHING)


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


def test_papers_that_share_nothing_with_a_question_do_not_speak_to_it():
    """Whether papers are on the topic is read from their signals, however probable a paper looks beside the others."""
    assert not is_on_topic([relevance("a", 0.9, NOTHING)])
    assert is_on_topic([relevance("a", 0.1, EVERYTHING)])


def test_improbable_papers_are_left_out():
    """Beside the best paper, only papers that reach the threshold are kept."""
    kept = keep_relevant([relevance("best", 0.9), relevance("good", 0.7), relevance("poor", 0.01)])
    assert [r.paper_id for r in kept] == ["best", "good"]


def test_a_model_reads_few_papers_that_may_be_relevant():
    """The first paper is read in any case, the others up to a number and if they are not improbable."""
    some = [relevance("first", 0.01), relevance("second", 0.1), relevance("third", 0.05)]
    assert [r.paper_id for r in worth_reading(some)] == ["first", "second"]
    assert len(worth_reading([relevance(str(n), 0.9) for n in range(20)])) == READ_PAPERS


def test_the_best_paper_is_kept_if_the_question_is_answerable():
    """A question to which the papers speak gets at least its most probable paper."""
    kept = keep_relevant([relevance("best", 0.02), relevance("next", 0.01)])
    assert [r.paper_id for r in kept] == ["best"]
