"""Which sentences of a written answer reach the reader: only those that their citations support."""

import pytest

from rag_qa.answering.synthesis import UNSUPPORTED, Synthesis
from rag_qa.answering.writing.writer import Writer
from rag_qa.errors import PromptError
from rag_qa.types import Evidence

TITLES = {"bees": "BeeDance: a dance of bees", "soup": "On onion soup"}
DANCE = "The foragers tell the others by a dance where flowers stand."
SUN = "It is read against the angle of the sun at 45 degrees."
ONIONS = "Onions are fried in butter before the stock goes in."
TRUE = "Foragers tell others by a dance where flowers stand."
FALSE = "The foragers tell the others by a dance where 300 flowers stand."
# Close to DANCE, and at most partially supported by it.
NEAR = "The foragers tell the others by a secret waggle dance where ripe yellow flowers stand."
MOON = "The moon is made of green cheese."


def evidence(sentence, paper_id="bees", score=0.0):
    return Evidence(paper_id=paper_id, sentence=sentence, start=0, end=len(sentence), score=score)


def test_a_supported_sentence_cites_the_smallest_set(answer_with):
    """A true sentence cites one sentence, and two only if one does not support it."""
    both = "The foragers tell the others by a dance where flowers stand, read against the angle of the sun."
    answered = answer_with(f"{TRUE} {both}")
    assert answered.said == [("prose", TRUE), ("prose", both)]
    assert answered.cited[0] == [DANCE]
    assert sorted(answered.cited[1]) == sorted([DANCE, SUN])
    assert all(sentence.verdict.label == "supported" for sentence in answered.sentences)
    assert answered.trace.unsupported is None


def test_text_streams_before_its_sentence(answer_with):
    """Pieces come as they are written, and sentences after the last one, when the model is free."""
    answered = answer_with(f"{TRUE} {DANCE}")
    kinds = [event.kind for event in answered.events]
    assert "".join(event.piece for event in answered.events) == f"{TRUE} {DANCE}"
    assert kinds == sorted(kinds)
    assert set(kinds) == {"piece", "sentence"}


def test_what_is_said_twice_is_said_once(answer_with):
    """A sentence that the model repeats is shown once."""
    assert answer_with(f"{TRUE} {TRUE} {TRUE}").said == [("prose", TRUE)]


def test_a_sentence_may_stand_on_what_was_not_read(answer_with):
    """All sentences of the papers found may be cited, and not only those that the model read."""
    answered = answer_with(TRUE, read=[evidence(SUN)])
    assert answered.material.reading.evidence == (evidence(SUN),)
    assert answered.cited[0] == [DANCE]


def test_an_unsupported_sentence_is_written_once_more(answer_with):
    """A sentence that nothing supports is written again, with the objection, and the better one is shown."""
    answered = answer_with(FALSE, TRUE)
    assert answered.said == [("prose", TRUE)]
    assert (
        len(answered.generator.prompts) == 4
    )  # the decision, the answer, the second answer and its confirmation
    again = answered.generator.prompts[2].user
    assert FALSE in again
    assert "the number 300 is not in the source" in again


def test_only_one_sentence_is_written_once_more(answer_with):
    """Of several sentences that nothing supports the first is written again; the others are left out."""
    answered = answer_with(f"{FALSE} {MOON} {TRUE}", DANCE)
    assert answered.said == [("prose", DANCE), ("prose", TRUE)]
    assert not answered.generator.replies


def test_a_near_sentence_gives_way_to_its_quote(answer_with):
    """If the second attempt is no better, the sentence nearest to the first one is quoted."""
    answered = answer_with(NEAR, MOON)
    assert answered.said == [("quote", DANCE)]
    assert answered.cited == [[DANCE]]
    assert answered.trace.unsupported is None


@pytest.mark.parametrize("claim", [FALSE, MOON])
def test_a_false_sentence_is_left_out(answer_with, claim):
    """A sentence with a number that is nowhere, or that has nothing to do with any source, leaves no trace."""
    assert answer_with(f"{claim} {TRUE}", MOON).said == [("prose", TRUE)]


def test_a_denial_is_not_shown(answer_with):
    """A sentence that denies what its source says is not prose of the answer."""
    denial = "The foragers do not tell the others by a dance where flowers stand."
    prose = [text for kind, text in answer_with(f"{denial} {TRUE}", denial).said if kind == "prose"]
    assert prose == [TRUE]


def test_an_answer_of_which_nothing_remains_is_none(answer_with):
    """If nothing written is supported, there is no sentence, and the reason says so."""
    answered = answer_with(FALSE, MOON)
    assert answered.said == []
    assert answered.trace.why_not == UNSUPPORTED


@pytest.mark.parametrize(
    "reply", ["", "   ", "A tail that was never finis", "\x1b[31m\x1b]0;owned\x07", "[1]"]
)
def test_a_useless_reply_is_no_answer(answer_with, reply):
    """If the model writes no whole sentence, there is none, and the reason says so."""
    answered = answer_with(reply, reply)
    assert answered.said == []
    assert answered.trace.why_not == UNSUPPORTED


def test_a_cut_off_sentence_is_dropped(answer_with):
    """A last sentence that was cut off at the token limit is not shown, though its words are supported."""
    assert answer_with(f"{TRUE} {DANCE}", max_tokens=16).said == [("prose", TRUE)]
    assert answer_with(FALSE, f"{DANCE[:-1]} and it is read against the sun.", max_tokens=16).said == []


def test_a_short_answer_needs_no_full_stop(answer_with):
    """A reply that ends by itself without a full stop is a sentence, in the first answer and in the second."""
    assert answer_with(TRUE[:-1]).said == [("prose", TRUE)]
    assert answer_with(FALSE, TRUE[:-1]).said == [("prose", TRUE)]


def test_strict_quotes_nothing_in_place_of_prose(answer_with):
    """If the settings are strict, prose that is not supported is left out, and not replaced by a quote."""
    assert answer_with(NEAR, MOON, strict=True).said == []
    assert answer_with(f"{NEAR} {TRUE}", MOON, strict=True).said == [("prose", TRUE)]


@pytest.mark.parametrize(
    "reply",
    [
        f"{TRUE[:-1]} [1].",
        f"{TRUE[:-1]} [3][4].",
        f"{TRUE[:-1]} [99, 1].",
        f"\x1b[31m{TRUE}\x1b[0m",
        f"{TRUE[:20]}\x9b2J{TRUE[20:]}",
        f"{TRUE[:20]}\u202e{TRUE[20:]}",
        f"{TRUE[:20]}\n{TRUE[20:]}",
    ],
)
def test_a_runtime_that_ignores_grammars_makes_no_mark(answer_with, reply):
    """Marks and controls of a model never become citations, and reach the reader neither in pieces nor in sentences."""
    answered = answer_with(reply, reply)
    for text in [event.piece for event in answered.events] + [s.text for s in answered.sentences]:
        assert not set(text) & set("[]\x1b\x9b\n")
    for sentence in answered.sentences:
        assert "\u202e" not in sentence.text
        assert [c.quote for c in sentence.citations] == [DANCE]


@pytest.mark.parametrize(("inside", "kind"), [(0.99, "prose"), (0.01, None), (None, "quote")])
def test_what_the_model_reads_in_the_quotes_counts(answer_with, monkeypatch, inside, kind):
    """A sentence supported in part is shown if the model finds it in the quote, and its verdict says so."""
    monkeypatch.setattr(Writer, "supports", lambda self, sentence, reading: inside)
    answered = answer_with(NEAR, NEAR, choices=[(0.9, 0.1)] * 2)
    assert [sentence.kind for sentence in answered.sentences][:1] == [kind] * bool(kind)
    assert {sentence.verdict.read for sentence in answered.sentences if sentence.kind == "prose"} <= {inside}


def test_an_entailment_model_judges_alone(answer_with, monkeypatch, tmp_path):
    """With an entailment model the language model is not asked: nothing was fitted that adds to it."""
    monkeypatch.setattr(Writer, "supports", lambda self, sentence, reading: 0.99)
    answered = answer_with(NEAR, NEAR, choices=[(0.9, 0.1)] * 2, entailment=tmp_path)
    assert answered.said[0][0] == "quote"


def test_what_is_certain_is_not_read(answer_with, monkeypatch):
    """A number that no sentence has stays unsupported, and the model is not asked."""
    asked = []
    monkeypatch.setattr(Writer, "supports", lambda self, sentence, reading: asked.append(sentence) or 0.99)
    answered = answer_with(FALSE, FALSE, choices=[(0.9, 0.1)] * 2)
    assert (answered.said, asked) == ([], [])


@pytest.mark.parametrize("fits", ["nothing", "a part"])
def test_what_does_not_fit_is_not_read(answer_with, monkeypatch, fits):
    """The model judges all that is cited or nothing of it; then the verdict stays."""
    monkeypatch.setattr(Writer, "supports", lambda self, sentence, reading: 0.99)
    attributed, read, attributing = Synthesis._attributed, Writer.read, []

    def attribute(self, *rest):
        attributing.append(True)
        try:
            return attributed(self, *rest)
        finally:
            attributing.clear()

    def read_some(self, *rest):
        if not attributing:
            return read(self, *rest)
        if fits == "nothing":
            raise PromptError("it does not fit")
        return read(self, *rest)._replace(evidence=())

    monkeypatch.setattr(Synthesis, "_attributed", attribute)
    monkeypatch.setattr(Writer, "read", read_some)
    assert answer_with(NEAR, NEAR, choices=[(0.9, 0.1)] * 2).said[0][0] == "quote"


def test_what_the_model_reads_counts_in_the_decision(answer_with, monkeypatch):
    """The probability that a yes or no is accepted by counts what the model reads, as that of other answers does."""
    unsure = (0.42, 0.29, 0.29)
    yes, no, maybe = unsure
    choices = [(0.9, 0.1), (yes, no, maybe), (no, maybe, yes), (maybe, yes, no), (0.9, 0.1)]
    found = []
    for inside in (0.99, 0.8):
        monkeypatch.setattr(Writer, "supports", lambda self, sentence, reading, inside=inside: inside)
        found.append(answer_with(TRUE, choices=choices, kind="yesno").asked[0][1])
    assert found[0] > found[1]
