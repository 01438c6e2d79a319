import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.answering.writing.citing import REFUSED, Draft, cite, parse_drafts
from rag_qa.answering.writing.grammar import MAX_CHARACTERS, MIN_CHARACTERS, OVERRUN, REFUSAL
from rag_qa.text.sentences import split_sentences
from rag_qa.types import Evidence

ABSTRACT = "We study games [7]. Each player owns an eigenvector. The naïve limit — ∇f — is reached [1, 2]."

# What the grammar's `text` can produce: a capital or a digit, then no bracket and no control character.
BODY = st.characters(exclude_characters="[]", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp"))
TEXTS = st.builds(
    lambda head, body: head + body,
    st.sampled_from("ABCXYZ0189"),
    st.text(BODY, min_size=MIN_CHARACTERS, max_size=MAX_CHARACTERS - 1),
)
LABELS = st.lists(st.integers(1, 120), min_size=1, max_size=2).map(tuple)
REPLIES = st.lists(st.tuples(TEXTS, LABELS), min_size=1, max_size=3)


def written(sentences):
    """What a model writes for the sentences, as `answer_grammar` joins them."""
    return " ".join(text + "".join(f"[{label}]" for label in labels) for text, labels in sentences)


def ended(text):
    """The sentences of the text, each on one line with a full stop where it has none."""
    text = " ".join(text.split())
    sentences = [text[start:end] for start, end in split_sentences(text)]
    return [one if one.endswith((".", "!", "?")) else f"{one}." for one in sentences]


def cut(reply, places):
    """The reply in pieces, cut at the places."""
    bounds = [0, *sorted(place % (len(reply) + 1) for place in places), len(reply)]
    return [reply[start:end] for start, end in pairwise(bounds)]


@given(REPLIES, st.lists(st.integers(0, 2000), max_size=30))
def test_sentences_and_labels_survive_any_chunking(sentences, places):
    """Whatever the grammar produces comes back as its sentences and labels, however it is cut in pieces."""
    drafts = list(parse_drafts(cut(written(sentences), places)))
    assert drafts == [
        Draft(one, tuple(dict.fromkeys(labels))) for text, labels in sentences for one in ended(text)
    ]


@given(REPLIES, TEXTS)
def test_an_unfinished_tail_is_dropped(sentences, tail):
    """A last sentence that never reached its label does not appear."""
    whole = list(parse_drafts([written(sentences)]))
    assert list(parse_drafts([f"{written(sentences)} {tail}"])) == whole


def test_sentences_that_share_a_label_are_drafts_of_their_own():
    """Every sentence has the label that follows it, so that each is checked against its source alone."""
    drafts = list(parse_drafts(["Dropout removes units, cf. Fig. 2. It rarely costs 3.5% of speed [1][2]"]))
    assert drafts == [
        Draft("Dropout removes units, cf. Fig. 2.", (1, 2)),
        Draft("It rarely costs 3.5% of speed.", (1, 2)),
    ]


@pytest.mark.parametrize("length", [MAX_CHARACTERS + 1, MAX_CHARACTERS + OVERRUN])
def test_a_sentence_at_the_limit_of_length_is_dropped_and_those_before_it_stay(length):
    """Half a word with a label pressed on it by the grammar is no sentence."""
    opening = "A first sentence that is whole. "
    cut_off = opening + ("And words that never end " * 20)[: length - len(opening)]
    assert [draft.text for draft in parse_drafts([f"{cut_off}[1]"])] == [opening.strip()]
    assert list(parse_drafts(["W" * MAX_CHARACTERS + "[1]"])) == [Draft("W" * MAX_CHARACTERS + ".", (1,))]


@pytest.mark.parametrize("places", [[], [3], [1, 5, 9, 20]])
def test_the_refusal_is_told_apart_from_text(places):
    """The whole refusal is REFUSED, however it is cut in pieces; the beginning of it is nothing."""
    assert list(parse_drafts(cut(f" {REFUSAL}\n", places))) == [REFUSED]
    assert list(parse_drafts(cut(REFUSAL[:-3], places))) == []


def test_the_refusal_is_never_a_sentence():
    """A sentence that says what the refusal says is dropped, in whatever case it comes."""
    reply = (
        "THE SOURCES DO NOT SAY. [1] A sentence. Alas, the sources do not say [2] One that says something [1]"
    )
    assert [draft.text for draft in parse_drafts([reply])] == ["A sentence.", "One that says something."]


@pytest.mark.parametrize("tail", ["[", "[2", "[2][", "[2][1"])
def test_a_label_cut_off_does_not_become_another(tail):
    """A reply that ends inside a label cites nothing that was not written out."""
    drafts = list(parse_drafts([f"A first sentence that is whole [1] A second one that is cut {tail}"]))
    assert drafts[:1] == [Draft("A first sentence that is whole.", (1,))]
    assert all(draft.labels == (2,) for draft in drafts[1:])


def test_a_sentence_comes_as_soon_as_the_next_has_begun():
    """A reader need not wait for the end of the reply to see its first sentence."""

    def pieces():
        yield "A first sentence that is whole [1]"
        yield " The"
        pytest.fail("the first sentence was held back")

    assert next(parse_drafts(pieces())).labels == (1,)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "[1]",
        "[1][2]",
        "no label at all",
        "[ 1 ] text",
        "Text with [a note] and a label [1]",
        "\x1b[31mRed text of some length [1]",
    ],
)
def test_a_reply_outside_the_grammar_makes_no_citation(reply):
    """Text that the grammar forbids is dropped rather than guessed at."""
    assert list(parse_drafts([reply])) == []


def test_only_ascii_digits_make_a_label():
    """Digits of other scripts in brackets are no label."""
    assert list(parse_drafts(["A sentence with a strange label [\u0661]"])) == []


@pytest.mark.parametrize("control", ["\x1bc", "\x07", "\x9b31m", "\u202e", "\u200b"])
def test_control_characters_never_leave(control):
    """Whatever would act on a terminal is taken out of a sentence."""
    (draft,) = parse_drafts([f"A sentence with {control}control characters [1]"])
    assert draft.text == "A sentence with control characters."


def test_a_label_of_absurd_length_is_no_crash():
    """A label with thousands of digits is dropped like other text outside the grammar."""
    assert list(parse_drafts(["A sentence with a long label [" + "9" * 5000 + "]"])) == []


@given(st.data())
def test_quotes_are_cut_from_the_abstract(data):
    """A citation's quote is the abstract between its offsets, marks in it included."""
    start = data.draw(st.integers(0, len(ABSTRACT) - 1))
    end = data.draw(st.integers(start + 1, len(ABSTRACT)))
    evidence = Evidence(label=3, paper_id="p", sentence=ABSTRACT[start:end], start=start, end=end, score=1.0)
    (citation,) = cite([3], {3: evidence})
    assert ABSTRACT[citation.start : citation.end] == citation.quote
    assert citation.paper_id == "p"


def test_a_label_that_does_not_exist_is_refused():
    """A label without evidence raises rather than being left out silently."""
    with pytest.raises(KeyError):
        cite([2], {})


def test_the_generator_of_replies_follows_the_grammar():
    """The texts above are those that the grammar's `text` rule describes."""
    reply = written([("A" + "b" * MIN_CHARACTERS, (1, 2))])
    assert re.fullmatch(r"[A-Z0-9][^\[\]]{20,240}\[1\]\[2\]", reply)
