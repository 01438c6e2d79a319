"""A probe tells from inside the language model what its reply does not."""

import numpy as np
import pytest

from rag_qa.answering.writing import writer as writing
from rag_qa.answering.writing.probe import Probe, load_probe, save_probes, texts_of
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
    """Put a probe for this generator in the place of the one that ships; it asks for bees, three times or more."""

    def put(generator, texts=None):
        probe = Probe(
            "decide",
            texts or texts_of(PROMPTS, "decide"),
            generator.spec.sha256,
            5,
            np.array([10, 1], dtype=np.float32),
            -30.0,
        )
        save_probes(tmp_path / "probes.npz", probe)
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


class Failing(Told):
    """A generator whose layers cannot be read."""

    def hidden_state(self, prompt, *, layer):
        raise BackendError("layer 5 cannot be read")


OTHERS = {"no states": QueuedGenerator, "unreadable": Failing}


@pytest.mark.parametrize("other", ["another model", "another prompt", *OTHERS])
def test_for_anything_else_the_reply_decides(fitted, other):
    """With another model or prompt, and where no layer can be read, the probability is that of the reply."""
    generator = OTHERS.get(other, Told)(choices=[[0.25, 0.75]])
    fitted(
        Told(name="another") if other == "another model" else generator,
        texts="Say so." if other == "another prompt" else None,
    )
    made, reading = reading_of("Do bees dance?", generator)
    assert made.states(reading) == 0.25


def test_the_probe_that_ships_is_for_the_default_model_and_prompt():
    """It was fitted for the file that the catalogue pins, asked by the prompt that ships."""
    probe = load_probe("decide")
    assert probe.sha256 == find_entry(WRITER).sha256
    assert probe.texts == texts_of(PROMPTS, "decide")
    assert np.isfinite(probe.weights).all()
    assert probe.weights.shape == (1536,)
