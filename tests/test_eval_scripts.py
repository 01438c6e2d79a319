"""The programs in eval/, which nothing else imports."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted(Path(__file__).parent.parent.glob("eval/*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_program_starts(script):
    """Each finds what it imports and prints its help."""
    shown = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, timeout=120)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("usage:")


MUTATIONS = runpy.run_path(str(Path(__file__).parent.parent / "eval" / "mutations.py"))


@pytest.mark.parametrize("name", sorted(MUTATIONS["QUOTING"].keys() | MUTATIONS["WRITING"].keys()))
def test_a_mutation_breaks_what_is_there(name):
    """Each replaces what exists, and puts it back: a stage that was renamed makes this fail."""
    mutation = (MUTATIONS["QUOTING"] | MUTATIONS["WRITING"])[name]
    with mutation():
        pass


def test_at_least_five_mutations_are_of_answers_in_quotes():
    """The condition that needs no writer is tried too."""
    assert len(MUTATIONS["QUOTING"]) >= 5
