"""Answerability: which relevant papers answer a question, and which only share its topic."""

import pytest

from rag_qa.answering.evidence.answerability import (
    NOTHING_RELEVANT,
    Clues,
    Said,
    decide,
    decide_list,
    decide_named,
    find_clues,
    missing_names,
)
from rag_qa.answering.evidence.relevance import Relevance, Signals, logistic, threshold
from rag_qa.answering.evidence.scoring import score_sentences
from rag_qa.answering.logistic import log_odds
from rag_qa.testing import HashingEmbedder
from rag_qa.text.words import question_terms
from rag_qa.types import Paper, Query

HIVE = Paper(
    id="hive",
    title="BeeCount: counting bees at the hive",
    abstract="We count bees with a camera at the entrance. In June there were 40,000 bees in each colony.",
)
SIGNALS = Signals(
    passage_similarity=0.6,
    feedback_similarity=0.6,
    sentence_similarity=0.6,
    title_coverage=0.5,
    paper_coverage=0.5,
    sentence_coverage=0.5,
    alignment=0.5,
)
NOTHING = Signals(**dict.fromkeys(Signals.model_fields, 0.0))


def relevance(paper, question="", signals=SIGNALS):
    terms = question_terms(question)
    sentences = score_sentences(
        question or "bees", terms, [paper], dict.fromkeys(terms, 1.0), HashingEmbedder()
    )
    return Relevance(paper_id=paper.id, probability=0.9, sentences=tuple(sentences), signals=signals)


def query(question):
    """The question as a query; those that begin with "how many" ask for a number."""
    kind = "number" if question.startswith(("how many", "how large")) else "fact"
    return Query(text=question, topic=question, kind=kind)


def clues(question, papers=(HIVE,)):
    terms = question_terms(question)
    assessed = [relevance(paper, question) for paper in papers]
    return find_clues(query(question), assessed, papers, terms, dict.fromkeys(terms, 1.0))


def decided(question, signals=SIGNALS, paper=HIVE, **given):
    terms = question_terms(question)
    assessed = [relevance(paper, question, signals)]
    return decide(query(question), assessed, [paper], terms, dict.fromkeys(terms, 1.0), **given)


def test_words_of_the_title_say_nothing_of_what_is_asked():
    """Only the words beyond the paper's title count: the camera is in the paper, the price is not."""
    assert clues("BeeCount camera").said == 1.0
    assert clues("BeeCount price").said == 0.0
    assert clues("counting bees").said == 1.0


def test_a_number_must_stand_beside_what_is_counted():
    """A number is missing by how far the sentences with one are from the word for what is counted."""
    assert clues("how many bees in a colony in June").number_missing == 0.0
    assert clues("how many bees do we count").number_missing == 0.0
    assert clues("how many lenses has it, in June?").number_missing == 1.0
    assert clues("which bees do we count").number_missing == 0.0


def test_a_number_is_missing_if_the_first_paper_has_none():
    """Without any number in its sentences a paper answers no question for one, even in the words of its title."""
    bare = HIVE.model_copy(update={"abstract": "We count bees with a camera. It stands at the entrance."})
    assert clues("how many bees", [bare]).number_missing == 1.0


def test_a_number_of_something_unknown_is_not_missed():
    """If the question does not say what is counted, any number will do."""
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
    """Names are known by capitals inside a sentence; authors count as known, and text all in capitals has no names."""
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
    """A question is answered exactly if its confidence reaches the threshold."""
    sure = decided("which camera stood at the entrance").confidence
    assert 0 < sure < 1
    assert [r.paper_id for r in decided("which camera stood at the entrance", wanted=sure).relevant] == [
        "hive"
    ]
    assert decided("which camera stood at the entrance", wanted=sure + 0.001).relevant == []


def test_papers_that_do_not_speak_to_a_question_do_not_answer_it_either():
    """By what ships a far-off question is refused however its words are covered; a wanted confidence decides alone."""
    far = SIGNALS.model_copy(
        update={"sentence_coverage": 0.0, "passage_similarity": 0.3, "sentence_similarity": 0.35}
    )
    assert decided("BeeCount camera entrance", far).confidence > threshold("answer")
    assert decided("BeeCount camera entrance", far).relevant == []
    assert decided("BeeCount camera entrance", far, wanted=threshold("answer")).relevant != []


@pytest.mark.parametrize(
    ("passage", "sentence", "stated", "answers"),
    [(0.3, 0.35, 0.9, True), (0.3, 0.35, 0.4, False), (0.15, 0.2, 0.95, True), (0.15, 0.2, 0.7, False)],
)
def test_a_model_that_reads_an_answer_overrules_scores_that_see_none(passage, sentence, stated, answers):
    """Of papers that seem off the topic, the farther off they are, the surer the model that reads must be."""
    far = SIGNALS.model_copy(
        update={"sentence_coverage": 0.0, "passage_similarity": passage, "sentence_similarity": sentence}
    )
    found = decided("BeeCount camera entrance", far, said=Said(stated, confirmed=0.95, supported=0.95))
    assert found.confidence > threshold("confirmed_answer")
    assert bool(found.relevant) is answers


def test_a_request_for_papers_is_met_by_papers_on_it_though_nothing_is_stated():
    """The most probable paper decides whether there is a list; what would be missing from an answer does not count."""
    asked = "which papers count bees like HoneyNet does?"
    hive = relevance(HIVE, asked)
    terms = question_terms(asked)
    weights = dict.fromkeys(terms, 1.0)
    met = decide_list(query(asked), [hive], [HIVE], weights)
    assert [r.paper_id for r in met.relevant] == ["hive"]
    improbable = hive.model_copy(update={"probability": 0.0})
    refused = decide_list(query(asked), [improbable], [HIVE], weights)
    assert refused.relevant == []
    assert refused.confidence < threshold("list") <= met.confidence
    assert [r.paper_id for r in decide_list(query(asked), [improbable], [HIVE], weights, wanted=0.0).relevant]


@pytest.mark.parametrize(("matched", "listed"), [(0.95, ["hive"]), (0.05, [])])
def test_a_model_that_reads_a_paper_decides_with_the_scores(matched, listed):
    """A list is given if the model finds a paper that is asked for, and not if it does not; the clues say so."""
    asked = "which papers count bees?"
    terms = question_terms(asked)
    weights = dict.fromkeys(terms, 1.0)
    found = decide_list(query(asked), [relevance(HIVE, asked)], [HIVE], weights, matched={"hive": matched})
    assert [r.paper_id for r in found.relevant] == listed
    assert found.clues["matched"] == log_odds(matched)
    assert "best" in found.clues


def test_what_a_model_reads_puts_papers_in_order_and_leaves_others_out():
    """Of papers that search finds equal, the one that the model finds asked for is listed, and first."""
    asked = "which papers count bees?"
    weights = dict.fromkeys(question_terms(asked), 1.0)
    alike = [relevance(HIVE, asked).model_copy(update={"paper_id": key}) for key in ("a", "b", "c")]
    papers = [HIVE.model_copy(update={"id": key}) for key in ("a", "b", "c")]
    found = decide_list(query(asked), alike, papers, weights, matched={"a": 0.02, "b": 0.9, "c": 0.95})
    assert [r.paper_id for r in found.relevant] == ["c", "b"]


def test_a_request_on_something_far_off_is_refused():
    """A request to which no paper speaks gets no list, however much likelier one paper is than the others."""
    asked = "which papers are about boiling eggs?"
    far = decide_list(query(asked), [relevance(HIVE, asked, NOTHING)], [HIVE], {"boil": 1.0, "egg": 1.0})
    assert (far.relevant, far.why_not) == ([], NOTHING_RELEVANT)


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
    """The papers that a question names answer it, unless it has a name that they do not have."""
    assert (
        bool(decide_named(query(question), decided(question, wanted=1.0), [HIVE], 0.0).relevant) is answered
    )


def test_a_named_paper_without_numbers_answers_no_question_for_one():
    """A question for a number is refused if the named paper has none, and the reason says what was asked for."""
    bare = HIVE.model_copy(update={"abstract": "We count bees with a camera. It stands at the entrance."})
    question = "how many lenses has it?"
    found = decide_named(query(question), decided(question, paper=bare), [bare], 0.0)
    assert found.relevant == []
    assert found.why_not == "relevant papers are here, but none of their abstracts says that of “lenses”"


def test_the_reason_names_what_is_not_said():
    """The reason says whether papers are relevant but have no answer, and then what is missing if that is known."""
    assert decided("How many lenses has it?").why_not == (
        "relevant papers are here, but none of their abstracts says that of “lenses”"
    )
    assert decided("Does it work on HoneyNet?").why_not.endswith("none of them names “HoneyNet”")
    assert decided("Where do we count bees?").why_not.endswith("none of their abstracts says that")
    assert decided("Why do bees dance?", NOTHING).why_not == NOTHING_RELEVANT


@pytest.mark.parametrize(
    "question",
    [
        "People ask why bees dance. Why?",
        "Why do bees dance?",
        "which bees came out on top?",
        "how many bees has it?",
        "what gravel of the mountains has it?",
    ],
)
def test_the_reason_names_no_other_word(question):
    """A word that no sentence has, but that is not what the question asks for, is not named."""
    assert decided(question).why_not.endswith("none of their abstracts says that")


CAMERA = "which camera stood at the entrance"


@pytest.mark.parametrize(("stated", "answers"), [(0.999, True), (0.5, True), (0.05, False), (0.001, False)])
def test_what_a_model_reads_decides(stated, answers):
    """If a model has read the evidence, the papers answer if it says that they do."""
    found = decided(CAMERA, said=Said(stated))
    assert bool(found.relevant) is answers


@pytest.mark.parametrize(
    ("stated", "confirmed", "answers"),
    [(0.9, 0.9, True), (0.9, 0.001, False), (0.6, 0.9, True), (0.6, 0.1, False), (0.99, 0.1, False)],
)
def test_what_is_cited_decides_with_what_was_read(stated, confirmed, answers):
    """Once an answer is written, the sentences that it cites must state it by themselves."""
    assert decided(CAMERA, said=Said(stated)).relevant
    found = decided(CAMERA, said=Said(stated, confirmed, 0.9))
    assert bool(found.relevant) is answers
    assert found.confidence >= threshold("confirmed_answer") or not answers


def test_words_that_repeat_their_source_do_not_answer_alone():
    """Even if a sentence is surely supported by what it cites, the model must also find the answer there."""
    assert decided(CAMERA, said=Said(0.3, 0.05, 0.9998)).relevant == []


def test_before_an_answer_is_written_only_the_hardly_answerable_is_refused():
    """A wanted confidence above the one that ships is asked of the written answer, not of what was read before."""
    wanted = threshold("read_answer") + 0.4
    assert decided(CAMERA, wanted=wanted, said=Said(0.6)).relevant
    assert decided(CAMERA, wanted=wanted, said=Said(0.6, 0.1, 0.9)).relevant == []
    assert decided(CAMERA, wanted=0.0, said=Said(0.001)).relevant
    assert decided(CAMERA, wanted=wanted, said=Said(0.99, 0.99, 0.9)).relevant


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (Said(), set()),
        (Said(0.8), {"stated"}),
        (Said(0.8, 0.2, 0.9), {"stated", "confirmed", "supported"}),
    ],
)
def test_a_decision_says_what_it_was_read_from(said, names):
    """The clues of a decision are those of the papers, and the log-odds of what the model said, if it did."""
    found = decided(CAMERA, said=said).clues
    assert found.keys() == Clues.model_fields.keys() | {"topic"} | names
    assert all(found[name] == log_odds(getattr(said, name)) for name in names)


def test_a_model_that_is_surer_makes_a_surer_answer():
    """The confidence grows with the probabilities that the model gives, and is one however sure it is."""
    for said in (Said, lambda p: Said(0.5, p, 0.5)):
        sure = [decided(CAMERA, said=said(p)).confidence for p in (0.0, 0.2, 0.8, 1.0)]
        assert sure == sorted(sure)
        assert 0 < sure[0] < sure[1] < sure[2] < sure[3] < 1


def test_a_question_that_names_its_papers_is_not_said_to_have_none():
    """If the question names its papers, the reason is what they lack, even if they are unlike the question."""
    question = "does it work on HoneyNet?"
    terms = question_terms(question)
    asked = query(question).model_copy(update={"within": (HIVE.id,)})
    found = decide(
        asked, [relevance(HIVE, question, NOTHING)], [HIVE], terms, dict.fromkeys(terms, 1.0), wanted=None
    )
    assert found.relevant == []
    assert found.why_not.endswith("none of them names “HoneyNet”")
