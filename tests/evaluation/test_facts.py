import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.evaluation.facts import (
    key_facts_cited,
    key_facts_prose,
    key_facts_shown,
    missing_facts,
    normalise,
    says_yes_or_no,
    states,
)


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
    """A fact must be there as whole words and numbers; an empty text holds no fact."""
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


def test_prose_is_scored_without_the_quotes_under_it(world) -> None:
    """A fact that only the quote states is shown, and no fact of the prose."""
    prose = world.say("Players compete.", world.cite(world.GAME, "Each of 1,024 players owns a vector."))
    answer, facts = world.answer(prose), [["1024 players"], ["compete"]]
    assert (key_facts_shown(answer, facts), key_facts_prose(answer, facts)) == (1.0, 0.5)


def test_quotes_are_no_prose(world) -> None:
    """An answer in quotes has no fact in prose, and nothing to say of prose's citations."""
    citation = world.cite(world.GAME, "PCA is a game.")
    quoted = world.say(citation.quote, citation).model_copy(update={"kind": "quote"})
    answer, facts = world.answer(quoted), [["game"]]
    assert (key_facts_shown(answer, facts), key_facts_prose(answer, facts)) == (1.0, 0.0)
    assert key_facts_cited(answer, facts) is None


def test_a_citation_is_judged_by_the_facts_of_its_sentence(world) -> None:
    """A fact is cited if a quote under the sentence that states it states it too."""
    right = world.say("It is a game.", world.cite(world.GAME, "PCA is a game."))
    wrong = world.say("There are 1,024 players.", world.cite(world.COOKING, "Salt the water first."))
    facts = [["game"], ["1024 players"], ["never stated"]]
    assert key_facts_cited(world.answer(right, wrong), facts) == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes, it is.", "yes"),
        ("No, it is not.", "no"),
        ("“Yes.”", "yes"),
        ("Nobody knows.", None),
        ("It is.", None),
    ],
)
def test_yes_and_no_are_first_words(world, text: str, said: str | None) -> None:
    """Only a whole first word counts."""
    assert says_yes_or_no(world.answer(world.say(text))) == said


def test_a_refusal_says_neither_yes_nor_no(world) -> None:
    """An answer without sentences has no first word."""
    assert says_yes_or_no(world.answer(abstained=True)) is None
