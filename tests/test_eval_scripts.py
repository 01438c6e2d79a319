"""The programs in eval/fit, eval/studies and eval/peers, which no other code imports."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eval.studies.mutations import QUOTING, WRITING

ROOT = Path(__file__).parents[1]
FIT = ("addressed", "claims", "decision", "followups", "kinds", "lists", "probes", "relevance", "verdict")
STUDIES = (
    "ablate_retrieval",
    "bench_lexical",
    "choose_sentences",
    "damage",
    "detect_faults",
    "eight_bits",
    "embedding_speed",
    "fuzz_answers",
    "growth",
    "hold_out_gold",
    "hostile_files",
    "index_faults",
    "measure_reranker",
    "mutations",
    "pubmedqa",
    "quote_evidence",
    "regexes",
    "update_stages",
)
# What programs of studies/ share and test.
MODULES = {"decisions", "faults", "recombining"}
PROGRAMS = [f"fit.{name}" for name in FIT] + [f"studies.{name}" for name in STUDIES] + ["peers.run"]


def test_every_program_is_named_here() -> None:
    """A program that is added, renamed or removed changes the lists above."""
    assert {path.stem for path in ROOT.glob("eval/fit/*.py")} == set(FIT)
    assert {path.stem for path in ROOT.glob("eval/studies/*.py")} == set(STUDIES) | MODULES


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_starts(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    """Each finds what it imports and prints its docstring as help, which says what it does and by which command."""
    program = importlib.import_module(f"eval.{name}")
    path = f"eval/{name.replace('.', '/')}.py"
    monkeypatch.setattr(sys, "argv", [path, "--help"])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage:")
    assert f"\n    python {path}" in shown
    assert program.__doc__.split()[0] in ("Fit", "Measure", "Check")


@pytest.mark.process
def test_a_program_starts_as_a_file() -> None:
    """A program that imports another one of eval/ finds it, from any folder, once the clone is installed."""
    command = [sys.executable, str(ROOT / "eval" / "studies" / "detect_faults.py"), "--help"]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    shown = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd="/", env=os.environ | {"PYTHONPATH": path}
    )
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("name", sorted(QUOTING.keys() | WRITING.keys()))
def test_a_mutation_breaks_what_is_there(name: str) -> None:
    """Each replaces what exists, and puts it back: a stage that was renamed makes this fail."""
    with (QUOTING | WRITING)[name]():
        pass


def test_at_least_five_mutations_are_of_answers_in_quotes() -> None:
    """The condition that needs no writer is tried too."""
    assert len(QUOTING) >= 5
