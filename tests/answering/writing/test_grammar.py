import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.answering.writing.grammar import PROSE, conform
from rag_qa.backends.llama import open_generator
from rag_qa.backends.locating import STARTER
from rag_qa.errors import BackendError
from rag_qa.protocols import Prompt
from rag_qa.settings import Settings
from rag_qa.testing import RandomGenerator

# A set of characters with a repetition reads the same as GBNF and as a regular expression.
ALLOWED = re.compile(PROSE.removeprefix("root ::= "))


@pytest.mark.parametrize(
    "text",
    [
        "EigenGame reached 98.5% of the variance.",
        "It is “viewed” (as such) – with $k$ and \\alpha; naïvely: 50 < 60!",
        "这些论文说明了均衡。",
        "😀",
    ],
)
def test_sentences_are_inside_the_grammar(text):
    """Plain text of any script, with the signs that papers use, may be written."""
    assert ALLOWED.fullmatch(text)
    assert conform(text) == text


@pytest.mark.parametrize(
    "text", ["", "[1]", "so [", "]", "a\nb", "\t", "\x1b[31m", "\x9b2J", "\u2028", "\x7f"]
)
def test_what_the_grammar_forbids(text):
    """Nothing at all, brackets, line ends and control characters cannot be written."""
    assert not ALLOWED.fullmatch(text)


@given(st.text(max_size=50))
def test_a_text_that_is_held_is_inside_the_grammar(text):
    """Whatever a runtime without grammars writes, what is read of it is what the grammar allows, sign for sign."""
    assert ALLOWED.fullmatch(conform(text)) or not text
    assert len(conform(text)) == len(text)
    if ALLOWED.fullmatch(text):
        assert conform(text) == text


def test_a_mark_that_is_held_is_none():
    """Marks of a runtime without grammars become numbers in round brackets."""
    assert conform("It is so [1][2, 3].") == "It is so (1)(2, 3)."


@given(st.integers(0, 10**6))
def test_random_text_is_inside_the_grammar(seed):
    """What the hostile generator writes is what the grammar allows, or nothing if it stopped at once."""
    generator = RandomGenerator(seed)
    prompt = Prompt(system="", context="From “A [bold] title”:\n- A sentence with a mark [7].\n", user="Why?")
    written = "".join(generator.generate(prompt, grammar=PROSE, max_tokens=2000, temperature=0, seed=0))
    assert list(generator.replies) == [written]
    assert ALLOWED.fullmatch(written) or (generator.broke_off and not written)


def test_random_text_is_sometimes_copied_from_what_was_read():
    """The hostile generator copies sentences of the evidence, so that some of what it writes is true."""
    generator = RandomGenerator(0)
    prompt = Prompt(system="", context="- Bees dance in the sun.\n", user="Why?")
    for _ in range(20):
        list(generator.generate(prompt, grammar=PROSE, max_tokens=2000, temperature=0, seed=0))
    assert any("Bees dance in the sun." in reply for reply in generator.replies)


@pytest.fixture(scope="module")
def starter():
    """The starter language model in a small context."""
    return open_generator(Settings(model=STARTER, context_tokens=512))


@pytest.mark.model
def test_a_bad_grammar_is_an_error(starter):
    """A grammar that llama.cpp would end the process over is refused before that."""
    with pytest.raises(BackendError, match="does not parse"):
        starter._grammar("root ::= (")


@pytest.mark.model
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_a_real_model_stays_inside_the_grammar(starter, temperature):
    """Even at a high temperature, and asked for marks and lines, a real model writes neither."""
    prompt = Prompt(
        system="Write a list, one line an item, with marks such as [1] and [7].", user="What is [99]?"
    )
    reply = "".join(starter.generate(prompt, grammar=PROSE, max_tokens=120, temperature=temperature, seed=1))
    assert ALLOWED.fullmatch(reply)
