"""Damage at random to every file of an index is told, mended or without effect, and doctor mends it."""

import subprocess
import sys
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "eval" / "studies" / "damage.py"


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("dense", ["exact", "hnsw"])
def test_no_damage_is_silent(dense):
    """Of forty damages none gives a wrong result in silence, a traceback or a crash, and none is left unmended."""
    options = ["--damages", "40", "--seed", "1", "--dense", dense]
    done = subprocess.run([sys.executable, STUDY, *options], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout
    assert "told" in done.stdout
    assert "mended" in done.stdout
