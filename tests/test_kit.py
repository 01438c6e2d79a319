"""The developer's kit: what runs elsewhere runs the same, and the pages for developers name what exists."""

import ast
import re
import sys
import textwrap
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rag_qa.answering import synthesis
from rag_qa.answering.evidence import answerability
from rag_qa.corpus.records import read_record
from rag_qa.evaluation import grounding, metrics
from rag_qa.types import Answer, Paper

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Parts of a library that come under a name of their own.
COMPANIONS = {"pydantic-core": "pydantic", "mcp-types": "mcp"}
# rag_qa uses it if it is there.
OPTIONAL = {"pandas"}


def load(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def steps(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def test_every_supported_python_is_tested_on_linux_and_macos():
    """The workflow runs `make test`, and nothing else, on both systems with each Python that the package names."""
    job = load(".github/workflows/test.yml")["jobs"]["test"]
    matrix = job["strategy"]["matrix"]
    named = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["project"]["classifiers"]))
    assert matrix["python"] == named == ["3.11", "3.12", "3.13"]
    assert sorted(system.partition("-")[0] for system in matrix["os"]) == ["macos", "ubuntu"]
    assert job["runs-on"] == "${{ matrix.os }}"
    assert steps(job) == ["make test"]


def test_the_workflow_builds_the_docs():
    """A job of its own builds the pages, with `make docs`."""
    assert [command.split()[:2] for command in steps(load(".github/workflows/test.yml")["jobs"]["docs"])] == [
        ["make", "docs"]
    ]


def test_actions_have_a_version():
    """Each action of the workflow is pinned to one release."""
    jobs = load(".github/workflows/test.yml")["jobs"].values()
    used = [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", name)] == []


def test_hooks_use_the_tools_of_the_environment():
    """Before a commit the checks of `make lint` run, from .venv, without any download."""
    repositories = load(".pre-commit-config.yaml")["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert [hook["entry"].split()[0] for hook in hooks] == [
        ".venv/bin/ruff",
        ".venv/bin/ruff",
        ".venv/bin/mypy",
    ]


@pytest.mark.parametrize(
    "form", sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
)
def test_a_form_for_issues_can_be_filled_in(form):
    """Each form has a name, and fields with ids that occur once."""
    content = load(f".github/ISSUE_TEMPLATE/{form}")
    if form == "config.yml":
        assert content["blank_issues_enabled"] is True
        return
    fields = [field["id"] for field in content["body"]]
    assert content["name"]
    assert content["description"]
    assert len(fields) == len(set(fields)) > 1


def imported(folder):
    """The top-level names that the Python files of a folder import."""
    names = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names


def required(lines):
    return {canonicalize_name(Requirement(line).name) for line in lines if isinstance(line, str)}


@pytest.fixture(scope="module")
def provided():
    """The packages that provide each name that can be imported."""
    return packages_distributions()


@pytest.mark.parametrize("folder", ["rag_qa", "tests", "eval", "scripts", "docs", "examples"])
def test_what_is_imported_is_required(folder, provided):
    """A library that a folder imports is in pyproject.toml: for rag_qa as a requirement, for others in a group too."""
    groups = [] if folder == "rag_qa" else PROJECT["dependency-groups"].values()
    wanted = required([*PROJECT["project"]["dependencies"], *(line for group in groups for line in group)])
    missing = set()
    for name in imported(folder) - sys.stdlib_module_names - OPTIONAL:
        by = {canonicalize_name(distribution) for distribution in provided.get(name, [])}
        if by and not {COMPANIONS.get(package, package) for package in by} & (wanted | {"rag-qa"}):
            missing.add(name)
    assert missing == set()


PACKAGES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "rag_qa").rglob("__init__.py")
)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_architecture_names_every_package(package):
    """docs/architecture.md says of each package under rag_qa what it is for."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert f"`{package.replace('.', '/')}/`" in page


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_pages_for_developers_name_files_that_exist(page):
    """Each path in code marks that begins with a folder of the repository is there; NAME stands for any."""
    text = (ROOT / page).read_text(encoding="utf-8")
    heads = "rag_qa|tests|eval|scripts|docs|prompts|models|examples"
    named = set(re.findall(rf"`((?:{heads})/[\w./-]+|[\w-]+\.(?:toml|txt|md|cff|yml))`", text))
    own = {"myformat", "NAME", "mycommand"}
    assert len(named) > 10
    assert [
        path
        for path in sorted(named)
        if not own & set(re.split(r"[/._]", path)) and not (ROOT / path).exists()
    ] == []


def example(containing):
    """The code block of CONTRIBUTING.md that holds some words."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^( *)```\w+\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return next(textwrap.dedent(block) for _, block in blocks if containing in block)


def test_the_example_of_a_reader_reads_its_example_of_a_file():
    """The reader in CONTRIBUTING.md reads the export beside it, and says no to the other formats' first words."""
    reader: dict[str, Any] = {}
    exec(example("def looks_like"), reader)
    export = example("=== Knitting")
    assert reader["looks_like"](export)
    assert not reader["looks_like"]('{"title": "=== a"}')
    (fields,) = reader["records"](export)
    paper = read_record(fields, "export.txt", 1)
    assert isinstance(paper, Paper)
    assert (paper.title, paper.authors) == ("Knitting graphs", ("Wilma Weaver", "Lou Mug"))
    assert (paper.venue, paper.year) == ("Journal of Wool", 2021)


def test_the_examples_of_metrics_measure():
    """The two metrics in CONTRIBUTING.md run in the modules that they are for, and give what they say."""
    ranking = dict(vars(metrics))
    exec(example("def average_precision_at"), ranking)
    assert ranking["average_precision_at"](["x", "a", "b"], {"a": 1, "b": 1, "c": 1}) == pytest.approx(
        (1 / 2 + 2 / 3) / 3
    )
    answers = dict(vars(grounding))
    exec(example("def papers_cited"), answers)
    refusal = Answer(
        question="q", abstained=True, reason="r", sentences=(), papers=(), provenance={}, timings={}
    )
    assert answers["papers_cited"](refusal) is None


def test_the_reasons_of_a_refusal_are_where_the_page_says():
    """CONTRIBUTING.md sends readers to names that the code has."""
    assert answerability.NOTHING_RELEVANT
    assert callable(answerability.missing_names)
    assert callable(answerability.decide)
    assert synthesis.UNSUPPORTED
