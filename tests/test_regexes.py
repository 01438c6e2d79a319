"""No text makes a regular expression or a reader take more than linear time.

The programs stop a text after two seconds, where linear time is some milliseconds and quadratic time many seconds.
"""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from eval.studies import regexes

ROOT = Path(__file__).parents[1]


def ran(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of eval/studies."""
    return subprocess.run(
        [sys.executable, f"eval/studies/{name}.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.mark.process
@pytest.mark.slow
def test_no_pattern_blows_up() -> None:
    """Each pattern of the package ends in time on its own worst cases of 40,000 characters."""
    result = ran("regexes", "--feed", "40000")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.process
@pytest.mark.slow
def test_no_reader_blows_up() -> None:
    """Each reader and each field ends in time with 60,000 characters of one piece put anywhere."""
    result = ran("hostile_files")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_bounds_name_patterns_that_exist() -> None:
    """A bound that is claimed for a pattern names a module or a pattern of the package."""
    for module, name in regexes.BOUNDED:
        assert not name or isinstance(getattr(importlib.import_module(module), name), re.Pattern)


@pytest.mark.parametrize(
    ("pattern", "pump"),
    [
        (r"\s+and\s", " "),
        (r"(a+)+$", "a"),
        (r"<a[^>]*x>", "<a"),
        (r"\.{3,}b", "."),
        (r"#+\s+(.+?)[\s#]*$", "#"),
    ],
)
def test_worst_cases_are_derived_from_a_pattern(pattern: str, pump: str) -> None:
    """The texts hold the one that is known to be slow for a pattern."""
    assert pump in {text.pump for text in regexes.hostile_texts(pattern, 0)}


def test_every_kind_of_pattern_is_found() -> None:
    """Patterns in variables, inline, in named tuples and in tables made at run time are all fed."""
    found = {(use.module.rpartition(".")[2], use.name) for use in regexes.uses("rag_qa.corpus.")}
    assert {("authors", "_AND"), ("siunitx", ""), ("tagged", "line"), ("status", "")} <= found
