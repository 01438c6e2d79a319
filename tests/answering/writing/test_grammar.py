import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag_qa.answering.writing.citing import parse_drafts
from rag_qa.answering.writing.grammar import MAX_CHARACTERS, OVERRUN, REFUSAL, answer_grammar
from rag_qa.backends.llama import open_generator
from rag_qa.errors import BackendError
from rag_qa.protocols import Prompt
from rag_qa.settings import Settings
from rag_qa.testing import RandomGenerator

TOKEN = re.compile(
    r'"(?P<text>[^"]*)"|(?P<set>\[(?:\\.|[^\]])*\])|(?P<name>[a-z]+)|(?P<sign>[(){},?|]|\d+)|\s+'
)
LABEL_SETS = st.lists(st.integers(1, 200), min_size=1, max_size=100, unique=True)
# Labels of two papers.
TWO_PAPERS = [[1, 2], [3]]
SENTENCE = "A sentence of more than twenty characters"
MARK = re.compile(r"\[(.*?)\]")


def as_pattern(grammar):
    """The grammar as a regular expression (ours has no recursion)."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())

    def expand(name):
        return "(?:" + "".join(map(piece, TOKEN.finditer(rules[name]))) + ")"

    def piece(token):
        if token["text"] is not None:
            return f"(?:{re.escape(token['text'])})"
        return expand(token["name"]) if token["name"] else token["set"] or token["sign"] or ""

    return re.compile(expand("root"))


@given(LABEL_SETS, st.integers(1, 4), st.data())
def test_every_label_of_the_evidence_can_be_cited(labels, most, data):
    """Up to `max_sentences` sentences with one or two existing labels each are in the grammar."""
    chosen = st.lists(st.sampled_from(labels), min_size=1, max_size=2, unique=True)
    ends = data.draw(st.lists(chosen, min_size=1, max_size=most))
    reply = " ".join(SENTENCE + "".join(f"[{label}]" for label in end) for end in ends)
    assert as_pattern(answer_grammar([labels], max_sentences=most)).fullmatch(reply)


@given(LABEL_SETS, st.integers(0, 300))
def test_no_other_label_can_be_cited(labels, label):
    """A label that no evidence has is outside the grammar."""
    accepted = as_pattern(answer_grammar([labels], max_sentences=1)).fullmatch(f"{SENTENCE}[{label}]")
    assert bool(accepted) == (label in labels)


@pytest.mark.parametrize(
    "reply",
    [
        SENTENCE,
        f"{SENTENCE}[1][2][1]",
        f"{SENTENCE}[1] {SENTENCE}[2] {SENTENCE}[1]",
        f"{SENTENCE}\n[1]",
        f"{SENTENCE} [7] indeed[1]",
        f"{SENTENCE} \x1b[31m[1]",
        f"{SENTENCE}\x9b31m[1]",
        "Too short[1]",
        "A" * (MAX_CHARACTERS + OVERRUN + 2) + "[1]",
        REFUSAL + "[1]",
        f"{REFUSAL} {SENTENCE}[1]",
        f"{SENTENCE}[1] {REFUSAL}",
        f"{SENTENCE}[2][3]",
        "",
    ],
)
def test_what_the_grammar_forbids(reply):
    """No uncited or unbounded sentence, no third label, none of a second paper, no bracket, no control character."""
    assert not as_pattern(answer_grammar(TWO_PAPERS, max_sentences=2)).fullmatch(reply)


def test_the_refusal_is_an_answer():
    """A model may say that the sources do not say, in one line that no sentence can be."""
    assert as_pattern(answer_grammar(TWO_PAPERS, max_sentences=2)).fullmatch(REFUSAL)


def test_no_label_no_grammar():
    """Without evidence there is nothing to cite, hence nothing to write."""
    with pytest.raises(ValueError, match="at least one label"):
        answer_grammar([[]], max_sentences=3)


@given(
    st.lists(st.lists(st.integers(1, 99), max_size=3), min_size=1, max_size=4), st.integers(1, 4), st.data()
)
def test_random_text_is_inside_the_grammar(papers, most, data):
    """What the hostile generator writes is what the grammar allows, or the beginning of it at the token limit."""
    assume(any(papers))
    grammar = answer_grammar(papers, max_sentences=most)
    generator = RandomGenerator(data.draw(st.integers(0, 10**6)))
    prompt = Prompt(system="", user=f"[1] {SENTENCE} with a mark [7].")
    written = "".join(generator.generate(prompt, grammar=grammar, max_tokens=2000, temperature=0, seed=0))
    assert list(generator.replies) == [written]
    whole = as_pattern(grammar)
    assert whole.fullmatch(written) or generator.broke_off


@pytest.fixture(scope="module")
def starter():
    """The starter language model in a small context."""
    return open_generator(Settings(context_tokens=512))


@pytest.mark.model
@pytest.mark.parametrize("labels", [[1], [1, 2, 10], [10, 1, 100], list(range(1, 101))])
@pytest.mark.parametrize("most", [1, 3])
def test_llama_cpp_accepts_the_grammar(starter, labels, most):
    """llama.cpp parses the grammar for one label and for a hundred."""
    assert starter._grammar(answer_grammar([labels, [200]], max_sentences=most))


@pytest.mark.model
def test_a_bad_grammar_is_told(starter):
    """A grammar that llama.cpp would end the process over is refused before that."""
    with pytest.raises(BackendError, match="does not parse"):
        starter._grammar("root ::= (")


@pytest.mark.model
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_a_real_model_stays_inside_the_grammar(starter, temperature):
    """Even at a high temperature, a real model's reply ends and cites nothing but existing labels."""
    grammar = answer_grammar([[3, 12]], max_sentences=2)
    prompt = Prompt(system="Write about [1] and [7].", user="What is [99]? Answer with [99].")
    reply = "".join(
        starter.generate(prompt, grammar=grammar, max_tokens=200, temperature=temperature, seed=1)
    )
    assert set(MARK.findall(reply)) <= {"3", "12"}
    assert all(set(draft.labels) <= {3, 12} for draft in parse_drafts([reply]))
