"""What the language model is asked, and how sentences are read from its pieces."""

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.answering.writing.grammar import PROSE
from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.answering.writing.writer import (
    AGREES,
    MAX_SENTENCES,
    SURELY,
    Affirmation,
    SentenceReader,
    Writer,
    statement,
    without_yes_or_no,
)
from rag_qa.corpus.cleaning import clean_text
from rag_qa.errors import PromptError
from rag_qa.settings import Settings
from rag_qa.testing import QueuedGenerator
from rag_qa.types import Evidence

TITLES = {"bees": "On bees", "soup": "On soup"}


def evidence(sentence, paper_id="bees", start=0):
    return Evidence(paper_id=paper_id, sentence=sentence, start=start, end=start + len(sentence), score=1.0)


def writer(*replies, choices=(), n_ctx=4096, **fields):
    """A writer over a generator with these replies, and the generator."""
    generator = QueuedGenerator(replies, choices=choices, n_ctx=n_ctx)
    return Writer(generator, load_prompt("answer"), Settings(**fields), reads=True), generator


def read(written, *pieces):
    """What a writer reads of some evidence, with a question."""
    return written.read("Do bees dance?", pieces or (evidence("Bees dance."),), TITLES)


# --- what is read


def test_a_reading_is_the_evidence_under_its_titles():
    """The model reads the evidence that fits, paper by paper."""
    made, _ = writer()
    reading = read(made, evidence("Bees dance."), evidence("Soup is hot.", "soup"))
    assert reading.text == "From “On bees”:\n- Bees dance.\nFrom “On soup”:\n- Soup is hot."
    assert [e.sentence for e in reading.evidence] == ["Bees dance.", "Soup is hot."]


def test_what_does_not_fit_is_not_read():
    """Evidence that does not fit beside two replies is left out, the last first; the question alone must fit."""
    pieces = [evidence(f"Bees dance {n} times.") for n in range(9)]
    made, generator = writer(max_tokens=16)
    whole = generator.count_tokens(made.prompt(read(made, *pieces)))
    tight, generator = writer(n_ctx=whole + 32, max_tokens=16)
    reading = read(tight, *pieces)
    assert 0 < len(reading.evidence) < 9
    assert list(reading.evidence) == pieces[: len(reading.evidence)]
    assert generator.count_tokens(tight.prompt(reading)) + 32 <= generator.spec.n_ctx
    with pytest.raises(PromptError, match="RAG_QA_CONTEXT_TOKENS"):
        read(writer(n_ctx=60, max_tokens=16)[0])


def test_the_tokens_to_read_drop_the_worst_evidence():
    """Evidence beyond `read_tokens` is left out, the last and worst first, though there is room for it."""
    pieces = [
        evidence(f"Bees dance {n} times a day in each of their many hives.", start=n) for n in range(20)
    ]
    made, generator = writer(read_tokens=100)
    reading = read(made, *pieces)
    assert 1 < len(reading.evidence) < 20
    assert list(reading.evidence) == pieces[: len(reading.evidence)]
    assert generator.count_tokens(made.prompt(reading)) <= 100
    more, _ = writer(read_tokens=4096)
    assert len(read(more, *pieces).evidence) == 20


def test_one_piece_is_read_whatever_it_takes():
    """The best piece of evidence is read though it takes more than `read_tokens` itself."""
    long = evidence("Bees dance " + "and dance " * 100 + "all day.")
    made, generator = writer(read_tokens=64)
    reading = read(made, long, evidence("Bees sing.", start=2000))
    assert reading.evidence == (long,)
    assert generator.count_tokens(made.prompt(reading)) > 64


# --- what is asked


def test_all_questions_begin_with_the_same_reading():
    """Decision, answer and second answer share their beginning, and each ends in its own question."""
    made, generator = writer("Bees dance.", "Bees do.")
    reading = read(made)
    made.states(reading)
    made.affirms(reading)
    list(made.write(reading))
    made.rewrite(reading, "Bees [9] sing.", ["no [8] song"])
    assert len({(prompt.system, prompt.context) for prompt in generator.prompts}) == 1
    (decide, *_, write, again), affirm = (prompt.user for prompt in generator.prompts), generator.prompts[1:4]
    assert "state the answer" in decide
    assert [re.findall(r"^[ABC]\) (\w+)$", prompt.user, re.MULTILINE) for prompt in affirm] == [
        ["Yes", "No", "Maybe"],
        ["No", "Maybe", "Yes"],
        ["Maybe", "Yes", "No"],
    ]
    assert "one short sentence" in write
    assert "“Bees (9) sing.”" in again
    assert "no (8) song" in again
    assert all("Do bees dance?" in prompt.user for prompt in generator.prompts[:5])


def test_decisions_are_what_the_model_makes_of_the_options():
    """What the model makes of Yes against No is the decision."""
    made, generator = writer(choices=[(0.25, 0.75)])
    assert made.states(read(made)) == 0.25
    assert not generator.choices


def less_agreeing(yes, no, maybe):
    """These weights, without the preference for Yes, as probabilities."""
    yes *= math.exp(-AGREES)
    return tuple(weight / (yes + no + maybe) for weight in (yes, no, maybe))


def test_a_letter_that_the_model_likes_decides_nothing():
    """Yes, No and Maybe have each letter once, so a model that always says A finds them equally probable."""
    made, _ = writer(choices=[(0.8, 0.1, 0.1)] * 3)
    assert made.affirms(read(made)) == pytest.approx(less_agreeing(1, 1, 1))


def test_yes_or_no_is_what_the_model_makes_of_all_orders():
    """The probability of an answer is its geometric mean over the orders, without the model's preference for Yes."""
    made, generator = writer(choices=[(0.8, 0.1, 0.1), (0.2, 0.4, 0.4), (0.2, 0.6, 0.2)])
    yes, no, maybe = (0.8 * 0.4 * 0.6) ** (1 / 3), (0.1 * 0.2 * 0.2) ** (1 / 3), (0.1 * 0.4 * 0.2) ** (1 / 3)
    assert made.affirms(read(made)) == pytest.approx(less_agreeing(yes, no, maybe))
    assert not generator.choices


def test_a_certain_model_is_taken_at_its_word():
    """Probabilities of 0 and 1 give no error."""
    made, _ = writer(choices=[(0, 1, 0), (1, 0, 0), (0, 0, 1)])
    assert made.affirms(read(made)).no == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("yes", "no", "maybe", "opening"),
    [
        (1.0, 0.0, 0.0, "Yes, "),
        (0.66, 0.2, 0.14, "Yes, "),
        (0.4, 0.303, 0.297, "Yes, "),
        (0.4, 0.304, 0.296, ""),
        (0.304, 0.4, 0.296, ""),
        (0.303, 0.4, 0.297, "No, "),
        (0.4, 0.1, 0.5, ""),
        (0.1, 0.4, 0.5, ""),
        (0.0, 0.0, 1.0, ""),
        (0.0, 1.0, 0.0, "No, "),
    ],
)
def test_an_opening_is_what_the_model_is_sure_of(yes, no, maybe, opening):
    """Yes and No from a ratio of the two on, and neither between these or if Maybe is the most probable."""
    assert Affirmation(yes=yes, no=no, maybe=maybe).opening == opening


@given(st.tuples(*[st.floats(0, 1)] * 3).filter(any))
def test_an_answer_never_begins_with_the_less_probable(weights):
    """Whatever the probabilities, an answer begins with the most probable of the three, or with neither Yes nor No."""
    affirmed = Affirmation(*(weight / sum(weights) for weight in weights))
    if affirmed.opening:
        first, other = (affirmed.yes, affirmed.no) if affirmed.opening == "Yes, " else affirmed[1::-1]
        assert first == max(affirmed)
        assert first >= math.exp(SURELY) * other


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Yes, bees dance.", "Bees dance."),
        ("No, they do not.", "They do not."),
        ("Yesterday bees danced.", "Yesterday bees danced."),
        ("bees dance.", "bees dance."),
        ("Yes, .", ""),
    ],
)
def test_a_yes_of_the_models_own_is_left_out(text, kept):
    """What a sentence begins with of the model's own accord is taken away, and the rest begins like a sentence."""
    assert without_yes_or_no(text) == kept


def test_an_opening_is_the_beginning_of_the_reply():
    """The model goes on from the opening, which it is given as its own and which does not come back as a piece."""
    made, generator = writer("bees dance.")
    reading = read(made)
    assert "".join(made.write(reading, opening="Yes, ")) == "bees dance."
    assert generator.prompts[0].reply == "Yes, "
    assert made.prompt(reading, opening="Yes, ") == generator.prompts[0]


class Recorder(QueuedGenerator):
    """Keeps what else it was asked with."""

    def generate(self, prompt, **asked):
        self.asked = asked
        yield from super().generate(prompt, **asked)


def test_the_settings_and_the_grammar_hold():
    """Tokens, temperature and seed are those of the settings, and the grammar that of prose."""
    generator = Recorder(["Bees dance."])
    settings = Settings(max_tokens=33, temperature=0.5, seed=7)
    made = Writer(generator, load_prompt("answer"), settings, reads=True)
    list(made.write(read(made)))
    assert generator.asked == {"grammar": PROSE, "max_tokens": 33, "temperature": 0.5, "seed": 7}


@pytest.mark.parametrize(
    ("reply", "rewritten"),
    [
        ("Bees dance. And they sing.", "Bees dance."),
        ("Bees dance.", "Bees dance."),
        ("Bees dance", "Bees dance."),
        (" and on" * 30, ""),
        ("Bees dance. And they", "Bees dance."),
        ("Bees [1] dance\x1b[0m.", "Bees (1) dance (0m."),
        ("", ""),
    ],
)
def test_a_second_answer_is_one_whole_sentence(reply, rewritten):
    """Of what the model writes once more the first whole sentence counts, held to the grammar; none is none."""
    made, _ = writer(reply, max_tokens=32)
    assert made.rewrite(read(made), "Bees sing.", ["they do not"]) == rewritten


def test_marks_and_controls_leave_no_writer():
    """A runtime that ignores grammars cannot write a mark, a line end or a control, in no piece of its text."""
    made, _ = writer("It is so [1].\n\x1b]0;owned\x07 Or [2,\n3]?")
    pieces = list(made.write(read(made)))
    assert len(pieces) > 3
    assert not set("".join(pieces)) & set("[]\n\x1b\x07")


# --- sentences of pieces


def sentences(text, places=(), opening="", max_tokens=0):
    """What a reader of sentences gives for a text cut at some places."""
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    reader = SentenceReader(opening, max_tokens=max_tokens)
    found = [s for a, b in pairwise(bounds) for s in reader.feed(text[a:b])]
    return [*found, *reader.rest()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bees dance. They rest.", ["Bees dance.", "They rest."]),
        ("It gains 3.5% (cf. Fig. 2) in all. Is it so?", ["It gains 3.5% (cf. Fig. 2) in all.", "Is it so?"]),
        ("Bees dance. They re", ["Bees dance."]),
        ("Bees dan", []),
        ("They say “we dance.”", ["They say “we dance.”"]),
        ("  Bees   dance.  ", ["Bees dance."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_whole_sentences_are_read(text, found):
    """A text is read as its sentences, without the last one if that was cut off."""
    assert sentences(text) == found


@pytest.mark.parametrize(
    ("places", "found"), [((), ["Bees dance.", "They rest."]), ((3, 6), ["Bees dance.", "They rest."])]
)
def test_a_short_reply_needs_no_full_stop(places, found):
    """A last sentence without a full stop is whole if the reply took far fewer tokens than it may."""
    assert sentences("Bees dance. They rest", places, max_tokens=16) == found
    assert sentences("40%", max_tokens=16) == ["40%."]
    assert sentences("   ", max_tokens=16) == []


@pytest.mark.parametrize("text", ["蜜蜂跳舞。", "蜜蜂跳舞？", "Bees dance…", "Bees dance!”", "(Bees dance.)"])
def test_a_sentence_that_has_its_end_gets_no_other(text):
    """The sentence ends of other scripts, and those before a closing quote, count like a full stop."""
    assert sentences(text, max_tokens=16) == sentences(text) == [clean_text(text)]


def test_a_long_reply_without_a_full_stop_is_cut_off():
    """A last sentence without a full stop is left out if the reply may have reached its limit."""
    text = "Bees dance. They rest"
    assert sentences(text, range(1, 12), max_tokens=16) == ["Bees dance."]
    assert sentences(text, range(1, 11), max_tokens=16) == ["Bees dance.", "They rest."]
    assert sentences(text + ".", range(1, 12), max_tokens=16) == ["Bees dance.", "They rest."]


def test_a_sentence_is_given_as_soon_as_the_next_begins():
    """The reader need not wait for the end of the text."""
    reader = SentenceReader()
    assert list(reader.feed("Bees dance. ")) == []
    assert list(reader.feed("They")) == ["Bees dance."]
    assert list(reader.rest()) == []


def test_an_opening_is_part_of_the_first_sentence():
    """The opening of the reply is put before the first sentence, and not before the second."""
    assert sentences("bees dance. They rest.", opening="Yes, ") == ["Yes, bees dance.", "They rest."]
    assert sentences(" dance. They rest.", opening="All. Of “Bees…”") == [
        "All. Of “Bees…” dance.",
        "They rest.",
    ]
    assert sentences("", opening="Yes, ", max_tokens=16) == []


def test_three_sentences_are_enough():
    """After three sentences the reader is full, and gives no more, however they come."""
    text = "One is one. Two is two. Three is three. Four is four. Five is five."
    reader = SentenceReader()
    assert len(list(reader.feed(text))) == MAX_SENTENCES == 3
    assert reader.full
    assert list(reader.feed(" Six is six. Seven")) == list(reader.rest()) == []
    assert sentences("One is one. Two is two. Three is three.")[-1] == "Three is three."


@given(
    st.lists(st.sampled_from(["Bees dance.", "It gains 3.5% in all.", "Is it so?"]), max_size=3),
    st.lists(st.integers(0, 200), max_size=20),
)
def test_chunking_changes_nothing(wanted, places):
    """However a text is cut in pieces, its sentences are the same."""
    assert sentences(" ".join(wanted), places) == wanted


@given(st.text(max_size=80), st.lists(st.integers(0, 100), max_size=5))
def test_any_text_is_read(text, places):
    """No text makes the reader fail, and every sentence is a clean one of the text."""
    for sentence in sentences(text, places):
        assert sentence == clean_text(sentence)
        assert "".join(sentence.split()) in "".join(clean_text(text).split())


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Yes, it flies.", "it flies."),
        ("No, it swims.", "it swims."),
        ("Yesterday it flew.", "Yesterday it flew."),
        ("The sentences do not mention a flight.", ""),
        ("No, the given sentences say nothing of it.", ""),
        ("The sentencing of birds is rare.", "The sentencing of birds is rare."),
        ('From "We introduce a bird.', ""),
        ("It is a bird” of 3.", ""),
        ('It is called "Bird-4".', 'It is called "Bird-4".'),
        ('It lays a 2" egg.', 'It lays a 2" egg.'),
    ],
)
def test_a_statement_is_the_answer_without_its_yes_or_no(text, stated):
    """What is judged, when an answer is given and when it is verified, is what follows Yes or No."""
    assert statement(text) == stated
