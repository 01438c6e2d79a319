"""Answerability: relevant papers that answer a question, told from those that only share its topic."""

import pytest

from rag_qa.answering.evidence.answerability import (
    NOTHING_RELEVANT,
    Clues,
    find_clues,
    judge_answer,
    judge_named,
    missing_names,
)
from rag_qa.answering.evidence.scoring import score_sentences
from rag_qa.answering.evidence.relevance import Relevance, Signals, logistic, threshold
from rag_qa.text.words import question_terms
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Paper

HIVE = Paper(
    id="hive",
    title="BeeCount: counting bees at the hive",
    abstract="We count bees with a camera at the entrance. In June there were 40,000 bees in each colony.",
)
SIGNALS = Signals(
    passage_similarity=0.6, sentence_similarity=0.6, paper_coverage=0.5, sentence_coverage=0.5, alignment=0.5
)
NOTHING = Signals(**dict.fromkeys(Signals.model_fields, 0.0))


def relevance(paper, question="", signals=SIGNALS):
    terms = question_terms(question)
    sentences = score_sentences(
        question or "bees", terms, [paper], dict.fromkeys(terms, 1.0), HashingEmbedder()
    )
    return Relevance(paper_id=paper.id, probability=0.9, sentences=tuple(sentences), signals=signals)


def clues(question, papers=(HIVE,)):
    terms = question_terms(question)
    assessed = [relevance(paper, question) for paper in papers]
    return find_clues(question, assessed, papers, terms, dict.fromkeys(terms, 1.0))


def judged(question, signals=SIGNALS, at=None):
    terms = question_terms(question)
    assessed = [relevance(HIVE, question, signals)]
    return judge_answer(question, assessed, [HIVE], terms, dict.fromkeys(terms, 1.0), at)


def test_words_of_the_title_say_nothing_of_what_is_asked():
    """Only the words beyond the paper's title count: the camera is in the paper, the price is not."""
    assert clues("BeeCount camera").said == 1.0
    assert clues("BeeCount price").said == 0.0
    assert clues("counting bees").said == 1.0


def test_a_number_must_stand_in_a_sentence_that_meets_what_is_counted():
    """A question for a number lacks it where no sentence with a number speaks of what is counted; others lack none."""
    assert clues("how many bees in a colony in June").number_missing == 0.0
    assert clues("how many cameras at the entrance").number_missing == 1.0
    assert clues("which camera stood at the entrance").number_missing == 0.0


def test_what_is_counted_is_the_last_word_of_what_is_asked_for():
    """In "colony cameras" cameras are counted; a number of colonies is not enough."""
    assert clues("how many colony cameras").number_missing == 1.0
    assert clues("how many camera colonies").number_missing == 0.0


def test_a_number_is_missing_where_the_first_paper_has_none():
    """Without any number in its sentences a paper answers no question for one, even in the words of its title."""
    bare = HIVE.model_copy(update={"abstract": "We count bees with a camera. It stands at the entrance."})
    assert clues("how many bees", [bare]).number_missing == 1.0


def test_a_number_of_something_unknown_is_not_missed():
    """Where the question does not say what is counted, a number will do."""
    assert clues("how large is it, in June?").number_missing == 0.0


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("does BeeCount work on HoneyNet?", ["HoneyNet"]),
        ("what did Frisch say of the Apis colony?", ["Apis"]),
        ("HoneyNet vs BeeCount", ["HoneyNet"]),
        ("Bees of the colony", []),
        ("How Many Bees Does Honeynet Count?", []),
        ("HOW MANY BEES DOES HONEYNET COUNT?", []),
        ("OBEY ME NOW: how many bees does HoneyNet count?", ["HoneyNet"]),
    ],
)
def test_a_name_that_no_paper_has_is_missing(question, missing):
    """Names are told by their capitals inside a sentence; those of authors are known, and shouting names nothing."""
    paper = HIVE.model_copy(update={"authors": ("Karl von Frisch",)})
    assert missing_names(question, [paper]) == missing
    assert clues(question, [paper]).name_missing == float(bool(missing))


@pytest.mark.parametrize(
    ("clue", "sign"),
    [
        ("said", 1),
        ("name_missing", -1),
        ("number_missing", -1),
        ("sentence_similarity", 1),
    ],
)
def test_each_clue_counts_the_right_way(clue, sign):
    """What is said speaks for an answer, a missing number or name against it."""
    middle = dict.fromkeys(Clues.model_fields, 0.5)
    assert sign * (logistic("answer", middle | {clue: 0.9}) - logistic("answer", middle | {clue: 0.1})) > 0


def test_papers_are_kept_from_the_threshold_on():
    """A question is answered exactly where its confidence reaches the threshold."""
    sure = judged("which camera stood at the entrance").confidence
    assert 0 < sure < 1
    assert [r.paper_id for r in judged("which camera stood at the entrance", at=sure).relevant] == ["hive"]
    assert judged("which camera stood at the entrance", at=sure + 0.001).relevant == []


def test_papers_that_do_not_speak_to_a_question_do_not_answer_it_either():
    """By what ships a far-off question is refused however its words are covered; a wanted confidence decides alone."""
    far = SIGNALS.model_copy(
        update={"sentence_coverage": 0.0, "passage_similarity": 0.3, "sentence_similarity": 0.35}
    )
    assert judged("BeeCount camera entrance", far).confidence > threshold("answer")
    assert judged("BeeCount camera entrance", far).relevant == []
    assert judged("BeeCount camera entrance", far, at=threshold("answer")).relevant != []


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("is it any good?", True),
        ("does it work on HoneyNet?", False),
        ("how many bees does it count?", True),
        ("how many lenses has it?", True),
    ],
)
def test_papers_that_a_question_names_answer_it(question, answered):
    """The papers that a question is about answer whatever is asked, but for names that they do not have."""
    assert bool(judge_named(question, judged(question, at=1.0), [HIVE], 0.0).relevant) is answered


def test_a_named_paper_without_numbers_answers_no_question_for_one():
    """A number is not looked for where there is none, and the reason says what was asked for."""
    bare = HIVE.model_copy(update={"abstract": "We count bees with a camera. It stands at the entrance."})
    question = "how many lenses has it?"
    terms = question_terms(question)
    weights = dict.fromkeys(terms, 1.0)
    before = judge_answer(question, [relevance(bare, question)], [bare], terms, weights, None)
    found = judge_named(question, before, [bare], 0.0)
    assert found.relevant == []
    assert found.why_not == "relevant papers are here, but none of their abstracts says “lenses”"


def test_the_reason_names_what_is_not_said():
    """Relevant papers without an answer are told from nothing relevant, and what is missing is named where known."""
    assert judged("What lens price did the BeeCount authors pay?").why_not == (
        "relevant papers are here, but none of their abstracts says “lens price”"
    )
    assert judged("Does it work on HoneyNet?").why_not.endswith("none of them names “HoneyNet”")
    assert judged("Why do bees dance?").why_not.endswith("none of their abstracts says that")
    assert judged("Why do bees dance?", NOTHING).why_not == NOTHING_RELEVANT
