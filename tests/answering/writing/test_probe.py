"""A probe tells from inside the language model what its reply does not."""

import numpy as np
import pytest

from rag_qa.answering.writing import writer as writing
from rag_qa.answering.writing.probe import (
    AFFIRMED,
    MATCHED,
    STATED,
    SUPPORTED,
    Probe,
    load_probe,
    save_probes,
    texts_of,
)
from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.answering.writing.writer import Writer
from rag_qa.backends.catalogue import find_entry
from rag_qa.backends.locating import WRITER
from rag_qa.errors import BackendError
from rag_qa.settings import Settings
from rag_qa.testing import QueuedGenerator
from rag_qa.types import Evidence

PROMPTS = load_prompt("answer")
TITLES = {"bees": "On bees"}
EVIDENCE = [Evidence(paper_id="bees", sentence="Bees dance.", start=0, end=11, score=1.0)]


class Told(QueuedGenerator):
    """A generator that says Yes, and whose layers hold how often a prompt speaks of bees, and the layer."""

    def hidden_state(self, prompt, *, layer):
        self.prompts.append(prompt)
        return np.array([f"{prompt.context}{prompt.user}".lower().count("bees"), layer], dtype=np.float32)


@pytest.fixture
def fitted(tmp_path, monkeypatch):
    """Put probes for this generator in the place of those that ship; they ask for bees, three times or more."""

    def put(generator, texts=None):
        known = ("decide", texts or texts_of(PROMPTS, "decide"), generator.spec.sha256)
        weights = np.array([10, 1], dtype=np.float32)
        save_probes(
            tmp_path / "probes.npz",
            Probe(STATED, *known, 5, weights, -30.0),
            Probe(AFFIRMED, *known, 7, weights, -31.0),
            Probe(SUPPORTED, "claim", texts_of(PROMPTS, "claim"), generator.spec.sha256, 6, weights, -30.0),
            Probe(MATCHED, "match", texts_of(PROMPTS, "match"), generator.spec.sha256, 4, weights, -30.0),
        )
        monkeypatch.setattr(writing, "load_probe", lambda name: load_probe(name, tmp_path / "probes.npz"))

    return put


def reading_of(question, generator):
    made = Writer(generator, PROMPTS, Settings(), reads=True)
    return made, made.read(question, EVIDENCE, TITLES)


def test_a_probe_decides_for_the_model_it_was_fitted_for(fitted):
    """Whether the evidence states the answer is read from the layer, whatever the model would say."""
    generator = Told(choices=[[1.0, 0.0]] * 2)
    fitted(generator)
    for question, log_odds in (("Do bees dance?", 5), ("Do wasps dance?", -5)):
        made, reading = reading_of(question, generator)
        assert made.states(reading) == pytest.approx(1 / (1 + np.exp(-log_odds)))
    assert "Do these sentences state the answer" in generator.prompts[-1].user
    assert len(generator.choices) == 2


def test_a_probe_tells_yes_from_no(fitted):
    """Yes or No is read from another layer of the same prompt, and nothing else is asked."""
    generator = Told(choices=[[1.0, 0.0, 0.0]] * 3)
    fitted(generator)
    for question, opening in (("Do bees dance?", "Yes, "), ("Do wasps dance?", "No, ")):
        made, reading = reading_of(question, generator)
        affirmed = made.affirms(reading)
        assert affirmed.opening == opening
        assert affirmed.yes == pytest.approx(1 / (1 + np.exp(-6 if opening == "Yes, " else 4)))
        assert sum(affirmed) == pytest.approx(1)
    assert {prompt.user.splitlines()[-1] for prompt in generator.prompts} == {
        "Do these sentences state the answer to this question? Reply Yes or No."
    }
    assert len(generator.choices) == 3


def test_a_probe_tells_whether_a_sentence_is_supported(fitted):
    """It is asked about the sentence, not the question, and a model without a probe cannot tell."""
    generator = Told()
    fitted(generator)
    made, reading = reading_of("Do wasps sting?", generator)
    for sentence, log_odds in (("Bees dance.", 6), ("Wasps dance.", -4)):
        assert made.supports(sentence, reading) == pytest.approx(1 / (1 + np.exp(-log_odds)))
        assert f"Claim: {sentence}" in generator.prompts[-1].user
        assert "sting" not in generator.prompts[-1].user
    silent = QueuedGenerator()
    assert Writer(silent, PROMPTS, Settings(), reads=True).supports("Bees dance.", reading) is None


def test_a_probe_tells_whether_a_paper_meets_a_request(fitted):
    """It is asked about the request and one paper's evidence; the reply of a model without a probe decides."""
    generator = Told(choices=[[1.0, 0.0]] * 2)
    fitted(generator)
    for request, log_odds in (("papers on bees", 4), ("papers on wasps", -6)):
        made, reading = reading_of(request, generator)
        assert made.matches(reading) == pytest.approx(1 / (1 + np.exp(-log_odds)))
        assert f"Somebody asks: {request}" in generator.prompts[-1].user
    assert len(generator.choices) == 2
    silent = QueuedGenerator(choices=[[0.25, 0.75]])
    assert Writer(silent, PROMPTS, Settings(), reads=True).matches(reading) == 0.25


class Failing(Told):
    """A generator whose layers cannot be read."""

    def hidden_state(self, prompt, *, layer):
        raise BackendError("layer 5 cannot be read")


OTHERS = {"no states": QueuedGenerator, "unreadable": Failing}


@pytest.mark.parametrize("other", ["another model", "another prompt", *OTHERS])
def test_for_anything_else_the_reply_decides(fitted, other):
    """With another model or prompt, and where no layer can be read, the probabilities are those of the replies."""
    generator = OTHERS.get(other, Told)(choices=[[0.25, 0.75], *[[0.1, 0.8, 0.1]] * 3])
    fitted(
        Told(name="another") if other == "another model" else generator,
        texts="Say so." if other == "another prompt" else None,
    )
    made, reading = reading_of("Do bees dance?", generator)
    assert made.states(reading) == 0.25
    assert made.affirms(reading).maybe > 0.3
    assert not generator.choices


@pytest.mark.parametrize(
    ("name", "prompt"),
    [(STATED, "decide"), (AFFIRMED, "decide"), (SUPPORTED, "claim"), (MATCHED, "match")],
)
def test_the_probes_that_ship_are_for_the_default_model_and_prompt(name, prompt):
    """They were fitted for the file that the catalogue pins, asked by the prompt that ships."""
    probe = load_probe(name)
    assert probe.sha256 == find_entry(WRITER).sha256
    assert probe.texts == texts_of(PROMPTS, prompt)
    assert np.isfinite(probe.weights).all()
    assert probe.weights.shape == (1536,)


def test_a_probe_written_anew_leaves_the_others(tmp_path):
    """A file keeps the probes that are not written again."""
    file = tmp_path / "probes.npz"
    one, two = (
        Probe(name, "decide", "Why?", "0", 5, np.ones(2, np.float32), 1.0) for name in (STATED, AFFIRMED)
    )
    save_probes(file, one, two)
    save_probes(file, two._replace(intercept=2.0))
    assert [load_probe(name, file).intercept for name in (STATED, AFFIRMED)] == [1.0, 2.0]
