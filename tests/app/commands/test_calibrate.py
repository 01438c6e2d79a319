"""`rag-qa calibrate` on a small index with a fake embedder."""

import json
from functools import partial
from pathlib import Path

import pytest

from rag_qa import Assistant, Settings, build_index
from rag_qa.answering import assistant
from rag_qa.backends.locating import STARTER
from rag_qa.index.reader import Index
from rag_qa.testing import HashingEmbedder

THINGS = (
    "bees tides harbours willows clocks orchids bridges kettles violins lanterns glaciers pigeons ferries looms maps "
    "mills otters pears quilts rafts sundials tulips"
).split()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working directory with an index of 22 papers, each on a thing of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())
    make(tmp_path / "index", THINGS)
    return tmp_path


def make(index, things):
    rows = [
        {
            "id": thing,
            "title": f"Keeping old {thing} in northern villages",
            "abstract": f"We describe how {thing} were kept by northern villagers. "
            f"A survey found {n + 12} sheds full of {thing} near rivers.",
        }
        for n, thing in enumerate(things)
    ]
    source = index.with_suffix(".jsonl")
    source.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    build_index([source], index, embedder=HashingEmbedder())


@pytest.fixture
def calibrate(run):
    """A function that runs `rag-qa calibrate` with arguments."""
    return partial(run, "calibrate")


def stored(index="index"):
    opened = Index.open(Path(index))
    opened.close()
    return opened.manifest.calibration


def test_a_calibration_is_kept_in_the_index_and_used(calibrate):
    """The threshold fitted stands in the manifest, survives an update and decides what is refused."""
    code, out, _ = calibrate("--index", "index", "--false-answers", "0", "--json")
    assert code == 0
    found = json.loads(out)["calibration"]
    assert (found["wanted"], found["false_answers"]) == (0, 0)
    assert stored().threshold == found["threshold"]
    build_index(["index.jsonl"], "index", embedder=HashingEmbedder())
    assert stored().threshold == found["threshold"]
    with Assistant.open(
        "index", settings=Settings(model=STARTER, style="quote"), embedder=HashingEmbedder()
    ) as opened:
        for question in ("Why do otters near rivers fill sheds?", "Why is the moon pale?"):
            answer = opened.ask(question)
            assert answer.abstained == (answer.confidence < found["threshold"])


def test_reset_goes_back_to_what_ships(calibrate):
    """After a reset the manifest holds no calibration."""
    calibrate("--index", "index")
    assert stored() is not None
    code, out, _ = calibrate("--index", "index", "--reset")
    assert (code, stored()) == (0, None)
    assert "the built-in calibration" in out


def test_a_dry_run_prints_and_draws_and_stores_nothing(calibrate, folder):
    """The table and both errors go to stdout and the curve to its file; the manifest stays as it was."""
    code, out, _ = calibrate("--index", "index", "--dry-run", "--plot", "curve.svg")
    assert (code, stored()) == (0, None)
    assert "| threshold | coverage | risk" in out
    assert "(not stored): answers" in out
    assert (folder / "curve.svg").read_text("utf-8").startswith("<svg")


def test_an_index_that_is_too_small_is_reported(calibrate, folder):
    """Too few papers are one line on stderr with what to do, and nothing is stored."""
    make(folder / "small", THINGS[:4])
    code, out, err = calibrate("--index", "small")
    assert (code, out) == (1, "")
    assert "holds 4 papers" in err
    assert stored("small") is None


def test_a_drawing_that_cannot_be_written_is_reported(calibrate, folder):
    """A plot into a folder that does not exist is reported before anything is stored."""
    code, _, err = calibrate("--index", "index", "--plot", "nowhere/curve.svg")
    assert code == 1
    assert "--plot" in err
    assert stored() is None
