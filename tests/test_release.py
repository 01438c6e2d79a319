"""What is released: one version everywhere, a changelog, and packages that work where they are installed."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from datetime import date
from pathlib import Path

import pytest
import yaml

from rag_qa.version import __version__

ROOT = Path(__file__).parent.parent
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASES = re.findall(r"^## (\d+\.\d+\.\d+) – (\d{4}-\d\d-\d\d)$", CHANGES, re.MULTILINE)


def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_newest_release_of_the_changelog_is_this_version():
    """The changelog begins with what is unreleased, then comes this version; dates do not rise further down."""
    assert re.findall(r"^## (.*)$", CHANGES, re.MULTILINE)[0] == "Unreleased"
    assert RELEASES[0][0] == __version__
    days = [date.fromisoformat(day) for _, day in RELEASES]
    assert days == sorted(days, reverse=True)


def test_changes_are_sorted_by_their_kind():
    """Under each version a change is added, changed, deprecated, removed, fixed, or one of security."""
    kinds = set(re.findall(r"^### (.*)$", CHANGES, re.MULTILINE))
    assert kinds
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_a_citation_names_the_release():
    """CITATION.cff has the version and the day of the newest release, and the licence of the package."""
    cited = citation()
    assert (cited["version"], str(cited["date-released"])) == RELEASES[0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["license"] == project["license"]
    assert cited["abstract"] == project["description"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A function that runs programs of an environment with the wheel; libraries come from this environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*command, str(next(built.glob("*.whl")))], check=True)
    # As a plain path the folder is searched last, and its own .pth files, the editable rag_qa's too, are not read.
    site = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    Path(site, "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*arguments, program="rag-qa"):
        command = [str(folder / "bin" / program), *arguments]
        done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.process
def test_the_wheel_holds_every_file_of_the_package_and_no_other(built):
    """Code, type marker, prompts, tables, samples, templates and the page are in the wheel; tests and eval are not."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = {
        file for file in (ROOT / "rag_qa").rglob("*") if file.is_file() and "__pycache__" not in file.parts
    }
    prompts = {f"rag_qa/prompts/{file.name}" for file in (ROOT / "prompts").glob("*.toml")}
    assert names == {str(file.relative_to(ROOT)) for file in package} | prompts
    assert prompts
    assert "rag_qa/py.typed" in names
    kinds = {Path(name).suffix for name in names}
    assert kinds >= {".py", ".toml", ".jsonl", ".jinja", ".npz", ".html", ".css", ".js"}


@pytest.mark.process
def test_the_sdist_holds_what_it_takes_to_build_and_test(built):
    """Whoever has the sdist can set up, test and read what has changed."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = "Makefile LICENSE CHANGELOG.md CITATION.cff constraints.txt scripts/build_llama.py tests/test_release.py"
    assert set(wanted.split()) <= names


@pytest.mark.process
def test_the_installed_program_knows_its_version_and_its_commands(installed):
    """`rag-qa --version` and `--help` work from the wheel, in a folder without the sources."""
    assert installed("--version").split() == ["rag-qa", __version__]
    assert "ask" in installed("--help")
    where = installed("-c", "import rag_qa; print(rag_qa.__file__)", program="python")
    assert not Path(where.strip()).is_relative_to(ROOT)


@pytest.mark.process
@pytest.mark.model
def test_the_installed_program_indexes_finds_and_answers(installed, tmp_path):
    """From the wheel alone the sample papers are indexed, found and quoted."""
    index = str(tmp_path / "index")
    installed("index", "--sample", "--index", index)
    question = "which papers discuss eigendecomposition as a game?"
    assert "EigenGame" in installed("search", question, "--index", index)
    assert "EigenGame" in installed("ask", question, "--style", "quote", "--index", index)
