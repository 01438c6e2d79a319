"""The Makefile, run with programs that only note how they were called."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.process

STUB = """#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
case "$*" in
  *check_python.py) echo 3.12.0 ;;
  {failing}) exit 1 ;;
esac
"""
PROGRAMS = ("python", "pip", "pytest", "ruff", "mypy", "rag-qa", "mutmut", "pip-audit", "cyclonedx-py")


@pytest.fixture
def make(tmp_path):
    """A function that makes a target with noting programs; it returns the calls, and whether make succeeded."""
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)

    def run(*arguments, failing="nothing"):
        log = tmp_path / "log"
        log.write_text("", encoding="utf-8")
        for program in PROGRAMS:
            stub = folder / program
            stub.write_text(STUB.format(log=log, failing=failing), encoding="utf-8")
            stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
        ours = {"VENV": tmp_path / "venv", "DONE": tmp_path / "done", "PYTHON": folder / "python"}
        command = ["make", *arguments, *(f"{name}={value}" for name, value in ours.items())]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return log.read_text(encoding="utf-8").splitlines(), done.returncode == 0

    return run


def scripts(calls):
    """The set-up scripts among the calls, in their order, each once in a row."""
    found = [match[1] for call in calls if (match := re.search(r"scripts/(\w+)\.py", call))]
    return [name for n, name in enumerate(found) if found[n - 1 : n] != [name]]


SETUP = [
    "check_python",
    "side_by_side",
    "install_torch",
    "build_llama",
    "install_libraries",
    "build_llama",
    "pull_writer",
]


def test_the_set_up_makes_sure_of_what_was_downloaded_beside_the_compiler(make):
    """After compiling and downloading side by side, each step is done once more where it failed, then the writer."""
    calls, good = make("setup")
    assert good
    assert scripts(calls) == SETUP
    assert any("--writer" in call for call in calls if "side_by_side" in call)


def test_the_set_up_leaves_the_writer_out_on_request(make):
    """WRITER=no downloads no language model that writes."""
    calls, good = make("setup", "WRITER=no")
    assert good
    assert scripts(calls) == SETUP[:-1]
    assert not [call for call in calls if "--writer" in call]


def test_what_is_done_is_not_repeated(make):
    """A second set-up only looks at the Python."""
    make("setup")
    calls, good = make("setup")
    assert good
    assert scripts(calls) == ["check_python"]


def test_a_set_up_that_failed_goes_on_where_it_stopped(make):
    """A step that fails fails make; the next run begins with that step."""
    calls, good = make("setup", failing="*install_libraries.py")
    assert not good
    assert scripts(calls)[-1] == "install_libraries"
    calls, good = make("setup")
    assert good
    assert scripts(calls) == ["check_python", *SETUP[4:]]


def test_another_python_begins_anew(make, tmp_path):
    """If the Python is another one, every step is done again; the writer, a file of its own, stays."""
    make("setup")
    (tmp_path / "done" / "python").write_text("3.11.0\n", encoding="utf-8")
    calls, _ = make("setup")
    assert scripts(calls) == SETUP[:-1]


def test_make_test_checks_the_code_every_tier_and_the_scores(make):
    """`make test` lints, runs all tests, those with models too, and ends with the scores of the sample sets."""
    calls, good = make("test")
    assert good
    programs = [call.split()[0] for call in calls]
    assert [name for name in dict.fromkeys(programs) if name != "python"] == [
        "ruff",
        "mypy",
        "pytest",
        "rag-qa",
    ]
    marks = [match[1] for call in calls if (match := re.match(r"pytest .*-m (.*?)(?: --|$)", call))]
    assert marks == ["(process or slow or shared or browser) and not (model or writer)", "model or writer"]
    assert (
        len([call for call in calls if call.startswith("pytest")]) == len(marks) + 1
    )  # the fast tier has none
    assert calls[-1] == "rag-qa eval --check sample conversations"


@pytest.mark.parametrize("failing", ["check", "--hypothesis-profile=thorough", "*-m*", "eval*"])
def test_make_test_fails_if_a_check_fails(failing, make):
    """A lint error, a failing test or a worse score makes `make test` fail."""
    make("setup")
    make("dev")
    _, good = make("test", failing=failing)
    assert not good


def test_the_demo_indexes_the_sample_and_asks(make):
    """`make demo` sets up, indexes the sample papers and asks a question of them."""
    calls, good = make("demo")
    assert good
    assert [call.split()[1] for call in calls if call.startswith("rag-qa")] == ["index", "ask"]


def test_help_names_targets_that_exist(make):
    """Every target that `make help` names can be made, and the two commands of the README are among them."""
    shown = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = re.findall(r"^make (\w+)", shown, re.MULTILINE)
    assert {"demo", "test", "fast", "lint", "docs"} <= set(targets)
    for target in targets:
        assert make("-n", target)[1], target


def test_continuous_integration_makes_the_tests_and_the_docs(tmp_path):
    """.ci/run hands over to `make test docs` at the root, whatever folder it is called from."""
    stub = tmp_path / "make"
    stub.write_text(f'#!/bin/sh\necho "$PWD $*" > "{tmp_path}/called"\n', encoding="utf-8")
    stub.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([str(ROOT / ".ci" / "run")], cwd=tmp_path, env={**os.environ, "PATH": path}, check=True)
    assert (tmp_path / "called").read_text(encoding="utf-8").split() == [str(ROOT), "test", "docs"]
    assert shutil.which("make", path=path) == str(stub)
