"""What the language model decides: whether the evidence states the answer, yes or no, and the confirmation."""

import math
from functools import partial

import pytest

from rag_qa.answering.synthesis import UNSUPPORTED
from rag_qa.answering.verdict.model import Verifier
from rag_qa.answering.writing.attribution import known_question
from rag_qa.answering.writing.writer import AGREES
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Evidence, Query, Verdict

TITLES = {"bees": "BeeDance: a dance of bees", "soup": "On onion soup"}
DANCE = "The foragers tell the others by a dance where flowers stand."
SUN = "It is read against the angle of the sun at 45 degrees."
ONIONS = "Onions are fried in butter before the stock goes in."
TRUE = "Foragers tell others by a dance where flowers stand."
FALSE = "The foragers tell the others by a dance where 300 flowers stand."
# Close to DANCE, and at most partially supported by it.
NEAR = "The foragers tell the others by a secret waggle dance where ripe yellow flowers stand."
MOON = "The moon is made of green cheese."
# The probabilities of Yes, No and Maybe.
SURE_YES, SURE_NO, UNSURE = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.42, 0.29, 0.29)


def in_each_order(affirmed):
    """What a model chooses of three letters, if each of Yes, No and Maybe has each letter once."""
    yes, no, maybe = affirmed
    return [(yes, no, maybe), (no, maybe, yes), (maybe, yes, no)]


def evidence(sentence, paper_id="bees", score=0.0):
    return Evidence(paper_id=paper_id, sentence=sentence, start=0, end=len(sentence), score=score)


def test_a_model_that_reads_well_decides(answer_with):
    """The probability that the evidence states the answer is the model's, if the model is trusted to say."""
    assert answer_with(TRUE, choices=[(0.3, 0.7)]).stated == 0.3
    weak = answer_with(TRUE, reads=False)
    assert weak.stated is None
    assert len(weak.generator.prompts) == 1


@pytest.mark.parametrize(
    ("affirmed", "opening"),
    [
        (SURE_YES, "Yes, "),
        ((0.6, 0.15, 0.25), "Yes, "),
        (UNSURE, ""),
        ((0.3, 0.1, 0.6), ""),
        (SURE_NO, "No, "),
    ],
)
def test_an_answer_to_yes_or_no_begins_with_it(answer_with, affirmed, opening):
    """The answer to a yes/no question begins with what the model is sure of, and else with neither."""
    reply = TRUE[0].lower() + TRUE[1:] if opening else TRUE
    choices = [(0.9, 0.1), *in_each_order(affirmed), *(in_each_order(affirmed) if opening else [])]
    answered = answer_with(reply, choices=choices, kind="yesno")
    assert answered.said == [("prose", f"{opening}{reply}")]
    assert answered.cited == [[DANCE]]
    write, *_, confirm = answered.generator.prompts[4:]
    assert write.reply == opening
    assert confirm.reply == ""
    yes, no, maybe = affirmed
    known = answered.trace.provenance["affirmed"]
    assert known["no"] / known["maybe"] == pytest.approx(no / maybe)
    assert known["yes"] / known["no"] == pytest.approx(math.exp(-AGREES) * yes / no)
    assert answered.trace.provenance["prompt_tokens"] > 0


@pytest.mark.parametrize(
    ("affirmed", "question", "kept"),
    [
        (SURE_NO, f"Do the {TRUE[0].lower()}{TRUE[1:-1]}?", ""),
        (SURE_YES, f"Do the {TRUE[0].lower()}{TRUE[1:-1]}?", "Yes, "),
        (SURE_NO, "Do the foragers tell the others by a song where flowers stand?", "No, "),
    ],
)
def test_a_no_before_what_is_asked_is_left_out(answer_with, affirmed, question, kept):
    """An answer does not say No and then affirm what is asked; one in other words keeps its opening."""
    reply = TRUE[0].lower() + TRUE[1:]
    choices = [(0.9, 0.1), *in_each_order(affirmed), *in_each_order(affirmed), (0.9, 0.1)]
    answered = answer_with(reply, choices=choices, kind="yesno", question=question)
    assert answered.said[0] == ("prose", f"{kept}{reply}" if kept else TRUE)


@pytest.mark.parametrize(("kind", "reads"), [("fact", True), ("number", True), ("yesno", False)])
def test_other_answers_have_no_opening(answer_with, kind, reads):
    """Other questions are not asked for Yes or No, nor is a model that is not good enough to say."""
    answered = answer_with(TRUE, kind=kind, reads=reads)
    assert all(prompt.reply == "" for prompt in answered.generator.prompts)
    assert "affirmed" not in answered.trace.provenance
    assert answered.said == [("prose", TRUE)]


@pytest.mark.parametrize(
    ("choices", "fields", "said"),
    [
        ([(0.9, 0.1), (0.7, 0.3)], {}, [("quote", DANCE)]),
        ([(0.9, 0.1)], {"strict": True}, []),
        ([(0.9, 0.1)], {"quotable": False}, []),
    ],
    ids=["states it", "strict", "does not state it"],
)
def test_a_quote_that_answers_stands_in_for_what_nothing_supports(answer_with, choices, fields, said):
    """If nothing written is supported, the best sentence is quoted if it states the answer, unless strict."""
    answered = answer_with(
        MOON,
        MOON,
        choices=choices,
        pieces=[evidence(DANCE, score=1.0), evidence(ONIONS, "soup")],
        **{"quotable": True, **fields},
    )
    assert answered.said == said
    if said:
        assert answered.asked == [(0.7, None)]


@pytest.mark.parametrize(("score", "quoted"), [(0.9, [("quote", SUN)]), (0.3, [])])
def test_an_answer_of_one_sentence_is_followed_by_a_quote(answer_with, score, quoted):
    """The next sentence of the same paper is quoted if it comes near to the question; another paper's never is."""
    pieces = [evidence(DANCE, score=1.0), evidence(ONIONS, "soup", score=0.95), evidence(SUN, score=score)]
    assert answer_with(TRUE, pieces=pieces).said == [("prose", TRUE), *quoted]
    assert answer_with(f"{TRUE} {DANCE}", pieces=pieces).said == [("prose", TRUE), ("prose", DANCE)]


def test_what_is_cited_is_read_once_more_alone(answer_with):
    """The first sentence's citations, and nothing else, are read again, and `accepts` is given what they state."""
    answered = answer_with(f"{TRUE} {DANCE}", choices=[(0.9, 0.1), (0.7, 0.3)])
    assert answered.stated == 0.9
    ((confirmed, supported),) = answered.asked
    assert confirmed == 0.7
    assert supported == answered.sentences[0].verdict.probability
    first, *_, last = answered.generator.prompts
    assert "state the answer" in first.user
    assert last.user == first.user
    assert DANCE in last.context
    assert not any(other in last.context for other in (SUN, ONIONS))
    assert answered.said == [("prose", TRUE), ("prose", DANCE)]


@pytest.mark.parametrize(
    ("read", "cited", "confirmed"),
    [(SURE_YES, SURE_YES, 0.7), (SURE_YES, UNSURE, 0.7), (SURE_YES, SURE_NO, 0.0), (SURE_NO, SURE_YES, 0.0)],
)
def test_a_yes_or_no_is_confirmed_by_what_is_cited(answer_with, read, cited, confirmed):
    """What the answer cites, alone, is asked for yes or no too: if it is the other one, the answer is not confirmed."""
    reply = TRUE[0].lower() + TRUE[1:]
    choices = [(0.9, 0.1), *in_each_order(read), *in_each_order(cited), (0.7, 0.3)]
    answered = answer_with(reply, choices=choices, kind="yesno")
    assert [given for given, _ in answered.asked] == [confirmed]


def test_an_answer_that_is_neither_is_confirmed_like_any_other(answer_with):
    """Without a Yes or a No, what is cited is asked only whether it states the answer."""
    answered = answer_with(TRUE, choices=[(0.9, 0.1), *in_each_order(UNSURE), (0.7, 0.3)], kind="yesno")
    assert [given for given, _ in answered.asked] == [0.7]
    assert "state the answer" in answered.generator.prompts[-1].user


@pytest.mark.parametrize("kind", ["yesno", "fact"])
def test_a_yes_that_the_model_writes_itself_does_not_count(answer_with, kind):
    """A Yes of which the model is not sure is removed from a sentence, also from one that was written again."""
    choices = [(0.9, 0.1), *(in_each_order(UNSURE) if kind == "yesno" else [])]
    assert answer_with(f"Yes, {TRUE}", choices=choices, kind=kind).said == [("prose", TRUE)]
    assert answer_with(MOON, f"No, {TRUE}", choices=choices, kind=kind).said == [("prose", TRUE)]


def test_what_a_yes_or_no_question_says_is_not_known():
    """The words of a question are known to its answer, but for a question that asks whether just that is so."""
    query = Query(text="Do bees of the north dance where flowers stand?", topic="bees")
    labels = [
        Verifier(HashingEmbedder())
        .judge(
            "Bees of the north dance where flowers stand.",
            [DANCE],
            question=known_question(query.model_copy(update={"kind": kind})),
        )
        .label
        for kind in ("fact", "yesno")
    ]
    assert labels == ["supported", "partial"]


def test_a_yes_or_no_is_decided_with_the_words_of_its_question(answer_with):
    """The decision is given the verdict that knows the question's words; the sentence has the one that does not."""
    said = "Bees tell others by a dance where flowers stand."
    choices = [(0.9, 0.1), *in_each_order(UNSURE), (0.7, 0.3)]
    answered = answer_with(said, choices=choices, kind="yesno", pieces=[evidence(DANCE, "soup")])
    judge = partial(Verifier(HashingEmbedder()).judge, said, [DANCE], context=[TITLES["soup"]])
    ((_, supported),) = answered.asked
    assert supported == judge(question="What do bees do?").probability
    assert answered.sentences[0].verdict == judge()
    assert supported > judge().probability


@pytest.mark.parametrize("reply", [TRUE, f"{TRUE} {DANCE}", f"{FALSE} {TRUE}"])
def test_nothing_is_said_unless_it_is_accepted(answer_with, reply):
    """If `accepts` returns False, there is no sentence and no further question to the model."""
    answered = answer_with(reply, MOON, accepts=False)
    assert answered.said == []
    assert len(answered.asked) == 1
    assert "state the answer" in answered.generator.prompts[-1].user
    assert answered.trace.unsupported is None


def test_a_quote_in_place_of_prose_is_confirmed_too(answer_with):
    """A quote in place of prose is read again, and shown only if it is accepted."""
    answered = answer_with(NEAR, MOON, accepts=False)
    assert answered.said == []
    assert len(answered.asked) == 1
    assert DANCE in answered.generator.prompts[-1].context
    assert SUN not in answered.generator.prompts[-1].context


class Doubter:
    """A judge that finds everything partial."""

    def judge(self, sentence, evidence, *, context=(), question=""):
        return Verdict(label="partial", probability=0.5)


def test_only_what_is_quoted_of_two_is_confirmed(answer_with):
    """If one of two near sentences is quoted in place of prose, that one alone is read again."""
    pieces = [evidence("HoneyNet counts bees."), evidence("SoupNet counts onions.", "soup")]
    reply = "In all HoneyNet counts bees and SoupNet counts onions."
    answered = answer_with(reply, reply, pieces=pieces, judge=Doubter())
    ((quoted,),) = answered.cited
    assert answered.said == [("quote", quoted)]
    (other,) = {e.sentence for e in pieces} - {quoted}
    assert quoted in answered.generator.prompts[-1].context
    assert other not in answered.generator.prompts[-1].context


def test_a_weak_model_confirms_nothing(answer_with):
    """If the model is not trusted to decide, nothing is read again, and `accepts` is not called."""
    answered = answer_with(TRUE, reads=False, accepts=False)
    assert answered.said == [("prose", TRUE)]
    assert answered.asked == []
    assert len(answered.generator.prompts) == 1


def test_what_a_paper_nowhere_names_is_not_said_of_it(answer_with):
    """A sentence that names what no paper names is left out, and not even the nearest quote takes its place."""
    named = "The foragers tell the others by a HoneyNet dance where flowers stand."
    answered = answer_with(named, named)
    assert answered.said == []
    assert answered.asked == [(1.0, None)] * 2
    assert answered.trace.why_not == UNSUPPORTED
