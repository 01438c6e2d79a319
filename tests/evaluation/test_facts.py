import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.evaluation.facts import key_facts_shown, missing_facts, normalise, states


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("It has 12,345 players.", "12345 players"),
        ("It has 12{,}345 players.", "12,345"),
        ("It has 12\u2009345\u00a0players.", "12345 players"),
        ("State\u2010of\u2011the\u2013art", "state-of-the-art"),
        ("a  line\nbreak", "A line break"),
        ("falls by \u22125 %", "-5%"),
        ("reaches 45\\% of it", "45%"),
        ("the Nystr\u00f6m method", "Nystro\u0308m"),
        ("It ended in 2019.", "2019"),
        ("Nash\u2019s", "nash's"),
    ],
)
def test_a_fact_is_found_however_it_is_typeset(text: str, wording: str) -> None:
    """Case, white space, dashes, percent signs and thousands separators do not hide a fact."""
    assert states(text, [wording])


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("4.5 times", "5"),
        ("4.5 times", "4"),
        ("15 times", "5"),
        ("1,000 times", "1"),
        ("1,000 times", "000"),
        ("a gamete", "game"),
        ("in 2019,100 of them", "2019100"),
        ("", "game"),
        ("anything", " "),
    ],
)
def test_a_part_of_a_word_or_number_is_no_fact(text: str, wording: str) -> None:
    """A fact must stand as whole words and numbers; nothing stands in nothing."""
    assert not states(text, [wording])


def test_one_of_the_alternatives_is_enough() -> None:
    """A fact is stated when any of its wordings is."""
    assert states("The agents agree.", ["players", "agents"])


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    """A normalised text is its own normal form, so both sides of a comparison meet."""
    once = normalise(text)
    assert normalise(once) == once


def test_a_missing_fact_lowers_coverage(world) -> None:
    """Of two facts one that the answer does not state halves the coverage, and is named."""
    given = world.answer(world.say("It has 1024 players."))
    facts = (("1,024", "a thousand"), ("a vector", "vectors"))
    assert key_facts_shown(given, facts) == 0.5
    assert missing_facts(given, facts) == ("a vector",)


def test_an_abstention_states_nothing(world) -> None:
    """An answer that abstains covers no fact, whatever its sentences say."""
    refused = world.answer(world.say("It has 1024 players."), abstained=True)
    assert key_facts_shown(refused, (("1024",),)) == 0


def test_no_facts_no_figure(world) -> None:
    """Coverage does not apply to a question without key facts."""
    assert key_facts_shown(world.answer(), ()) is None
