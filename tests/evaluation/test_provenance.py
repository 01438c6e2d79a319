import subprocess
from pathlib import Path

import pytest

from rag_qa.evaluation.provenance import commit, describe_run, merge


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.process
def test_a_run_is_described() -> None:
    """Version, date in UTC, platform, processor and at least one core are always known."""
    said = describe_run()
    assert said["rag_qa"]
    assert said["date"].endswith("+00:00")
    assert said["platform"]
    assert said["cores"] >= 1


@pytest.mark.process
def test_only_a_clone_has_a_commit(tmp_path: Path) -> None:
    """A package installed below somebody else's repository does not report that repository's commit."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-qm", "theirs", "--allow-empty")
    installed = tmp_path / "site-packages"
    installed.mkdir()
    assert commit(installed) is None


@pytest.mark.process
def test_changed_code_marks_the_commit(tmp_path: Path) -> None:
    """The commit is marked dirty when code differs from it, and not for files outside the code."""
    (tmp_path / "rag_qa").mkdir()
    (tmp_path / "rag_qa" / "a.py").write_text("1\n", "utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "notes.txt").write_text("x", "utf-8")
    assert commit(tmp_path) == head
    (tmp_path / "rag_qa" / "a.py").write_text("2\n", "utf-8")
    assert commit(tmp_path) == f"{head}-dirty"


@pytest.mark.process
def test_a_broken_clone_has_no_commit(tmp_path: Path) -> None:
    """Where git knows no commit, none is reported and nothing fails."""
    (tmp_path / ".git").mkdir()
    assert commit(tmp_path) is None


def test_what_answers_agree_on_is_kept() -> None:
    """Equal values stay, at any depth; differing ones are named and not chosen from."""
    first = {"model": {"name": "m", "ctx": 1}, "seed": 0}
    second = {"model": {"name": "m", "ctx": 2}, "seed": 0, "prompt": "p"}
    assert merge([first, second, {}]) == {
        "model.name": "m",
        "seed": 0,
        "prompt": "p",
        "varying": ["model.ctx"],
    }


def test_nothing_said_merges_to_nothing() -> None:
    """Without answers there is nothing to agree on."""
    assert merge([]) == {}
