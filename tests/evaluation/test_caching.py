import stat
from pathlib import Path

import numpy as np
import pytest

from rag_qa.errors import BackendError
from rag_qa.evaluation.caching import CachedGenerator, Calls
from rag_qa.protocols import Prompt
from rag_qa.testing import QueuedGenerator

PROMPT = Prompt(system="s", context="c", user="u")
LIMITS = {"grammar": None, "max_tokens": 9, "temperature": 0.0, "seed": 0}


def test_nothing_is_generated_twice(tmp_path: Path) -> None:
    """The second time the same pieces come from the folder, and the model is not asked."""
    model = QueuedGenerator(["one two three"])
    first = list(CachedGenerator(model, tmp_path).generate(PROMPT, **LIMITS))
    again = CachedGenerator(model, tmp_path)
    assert list(again.generate(PROMPT, **LIMITS)) == first == ["one", " two", " three"]
    assert (len(model.prompts), again.calls) == (1, Calls(1, 1))


def test_a_kept_reply_is_its_users_alone(tmp_path: Path) -> None:
    """What the model wrote stands in a file that only its user reads, in folders that only its user enters."""
    list(CachedGenerator(QueuedGenerator(["one"]), tmp_path / "kept").generate(PROMPT, **LIMITS))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


def test_a_choice_is_kept(tmp_path: Path) -> None:
    """The probabilities of the options come from the folder; other options are another choice."""
    model = QueuedGenerator(choices=[[0.25, 0.75], [0.5, 0.5]])
    cached = CachedGenerator(model, tmp_path)
    assert [cached.choose(PROMPT, ["Yes", "No"]) for _ in range(2)] == [[0.25, 0.75]] * 2
    assert cached.choose(PROMPT, ["No", "Yes"]) == [0.5, 0.5]
    assert cached.calls == Calls(3, 1)


class Told(QueuedGenerator):
    """A generator that tells a state of its own for each layer, and counts how often."""

    asked = 0

    def hidden_state(self, prompt, *, layer):
        self.asked += 1
        return np.array([layer, 0.1, 1e-9], dtype=np.float32)


def test_a_hidden_state_is_kept(tmp_path: Path) -> None:
    """A state comes from the folder to the last bit; another layer is another state."""
    model = Told()
    cached = CachedGenerator(model, tmp_path)
    first, again, other = (cached.hidden_state(PROMPT, layer=layer) for layer in (7, 7, 8))
    np.testing.assert_array_equal(again, first)
    assert (first[0], other[0], str(first.dtype)) == (7, 8, "float32")
    assert (model.asked, cached.calls) == (2, Calls(3, 1))


def test_a_generator_without_states_is_told(tmp_path: Path) -> None:
    """A model that does not tell its states is named."""
    with pytest.raises(BackendError, match="queued does not tell"):
        CachedGenerator(QueuedGenerator(), tmp_path).hidden_state(PROMPT, layer=1)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"max_tokens": 8},
        {"temperature": 0.5},
        {"grammar": "root ::= [a]"},
        {"prompt": PROMPT.model_copy(update={"reply": "Yes, "})},
        {"prompt": PROMPT.model_copy(update={"system": "sc", "context": ""})},
        {"model": "another"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_whatever_a_result_depends_on_is_in_its_key(tmp_path: Path, other: dict) -> None:
    """Another prompt, limit, seed, grammar or model is asked anew."""
    list(CachedGenerator(QueuedGenerator(["one"]), tmp_path).generate(PROMPT, **LIMITS))
    asked = LIMITS | other
    model = QueuedGenerator(["two"], name=asked.pop("model", "queued"))
    assert list(CachedGenerator(model, tmp_path).generate(asked.pop("prompt", PROMPT), **asked)) == ["two"]


def test_a_text_closed_early_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    """Who wants no more than is kept asks no model; who wants more gets the rest from it, and all is kept."""
    model = QueuedGenerator(["one two three"] * 2)
    stream = CachedGenerator(model, tmp_path).generate(PROMPT, **LIMITS)
    next(stream)
    stream.close()
    cached = CachedGenerator(model, tmp_path)
    stream = cached.generate(PROMPT, **LIMITS)
    assert next(stream) == "one"
    stream.close()
    assert (cached.calls, len(model.prompts)) == (Calls(1, 1), 1)
    assert "".join(cached.generate(PROMPT, **LIMITS)) == "one two three"
    assert (cached.calls, len(model.prompts)) == (Calls(2, 1), 2)
    assert "".join(cached.generate(PROMPT, **LIMITS)) == "one two three"
    assert (cached.calls, len(model.prompts)) == (Calls(3, 2), 2)


def test_an_empty_text_is_kept_too(tmp_path: Path) -> None:
    """A model that says nothing is not asked again."""
    model = QueuedGenerator([""])
    assert [list(CachedGenerator(model, tmp_path).generate(PROMPT, **LIMITS)) for _ in range(2)] == [[], []]


def test_a_damaged_file_is_generated_anew(tmp_path: Path) -> None:
    """What cannot be read counts as absent, and is replaced."""
    model = QueuedGenerator(["one", "one"])
    for _ in range(2):
        assert list(CachedGenerator(model, tmp_path).generate(PROMPT, **LIMITS)) == ["one"]
        next(tmp_path.rglob("*.json")).write_text("{", "utf-8")


def test_nothing_is_kept_of_what_fails(tmp_path: Path) -> None:
    """A model that raises an error does so again, and leaves no file."""
    cached = CachedGenerator(QueuedGenerator(), tmp_path)
    for _ in range(2):
        with pytest.raises(IndexError):
            list(cached.generate(PROMPT, **LIMITS))
    assert not list(tmp_path.rglob("*.json"))


def test_the_rest_is_the_generator_s_own(tmp_path: Path) -> None:
    """What really runs and the length of a prompt are passed on."""
    model = QueuedGenerator()
    cached = CachedGenerator(model, tmp_path)
    assert (cached.spec, cached.count_tokens(PROMPT)) == (model.spec, 3)
