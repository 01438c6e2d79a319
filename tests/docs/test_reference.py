"""Pages made from the code, links, and the glossary."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

import rag_qa
from rag_qa.app.cli import app
from rag_qa.settings import Settings

LINK = re.compile(r"\]\((?!https?:|#)([^)\s#]+)(?:#[^)]*)?\)")
TERMS = """abstention answerability attribution BM25 bigrams blocking calibration coreference
citation precision|citation recall
dense retrieval|entailment|evidence|faithfulness|fusion|generator|GGUF|grammar|hallucination|late interaction (MaxSim)
passage|prompt injection|provenance|qrels|query rewriting|quantisation|receipt|reranker|Rocchio|risk–coverage
decision|near-duplicate detection|pseudo-relevance feedback|verdict|writer"""


@pytest.fixture(scope="module")
def generate(root: Path) -> ModuleType:
    """Return docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", root / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_and_option_has_a_line(generate):
    """The page of commands names every command of the program, and every option that its help names."""
    page = generate.commands_page()
    for name, command in generate._commands("rag-qa", get_command(app)):
        section = page.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]
        for parameter in command.params:
            assert all(option in section for option in parameter.opts if option.startswith("-")), (
                parameter.name
            )


def test_every_setting_has_a_line(generate):
    """The page of settings names each setting, and each that is not plain by its name has a meaning."""
    page = generate.settings_page()
    assert all(f"| `{name}` |" in page for name in Settings.model_fields)


def test_every_public_name_is_documented(generate):
    """The page of Python names what `rag_qa` exports."""
    page = generate.python_page()
    names = [name for name in rag_qa.__all__ if not name.startswith("__") and name != "RagQAError"]
    assert [name for name in names if f".{name}\n" not in page + "\n"] == []


def test_shapes_and_routes(generate):
    """The page of JSON has the fields of an answer, that of HTTP the routes of the service."""
    assert "| `citations` | list of [Citation](#citation) |" in generate.json_page()
    assert "## POST /api/ask\n" in generate.http_page()


def test_links_of_files_read_in(generate, tmp_path, monkeypatch):
    """In a file that becomes a page, links to pages lead there and others become the name of the file."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    (tmp_path / "CONTRIBUTING.md").write_text(
        "[a](docs/architecture.md#what) [b](rag_qa/types.py) [c](#here) [d](eval/README.md)", encoding="utf-8"
    )
    assert generate.included("CONTRIBUTING.md") == (
        "[a](architecture.md#what) b (`rag_qa/types.py`) [c](#here) [d](explanation/evaluation.md)"
    )


def test_links_lead_somewhere(root):
    """Every link of README.md and docs/ to a file of the repository finds one, or a page that is generated."""
    made = {"contributing.md", "changes.md", "evaluation.md", "log.md", "models.md", "cli.md", "settings.md"}
    made |= {"python.md", "json.md", "http.md"}
    for page in [root / "README.md", *(root / "docs").rglob("*.md")]:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            path = Path(os.path.normpath(page.parent / target))
            assert path.exists() or path.name in made, f"{page.relative_to(root)}: {target}"


def test_the_readme_is_short(root):
    """README.md is read on a screen and a half."""
    assert len((root / "README.md").read_text(encoding="utf-8").splitlines()) <= 80


def test_the_glossary(root):
    """The glossary explains the field's terms and ours, each table in alphabetical order."""
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    first, second = (
        re.findall(r"^\| (?!Term|Word)([^|-][^|]*) \|", part, re.MULTILINE) for part in _halves(text)
    )
    for terms in (first, second):
        assert terms == sorted(terms, key=str.casefold)
    listed = "\n".join([*first, *second])
    wanted = [
        term for line in TERMS.splitlines() for term in (line.split("|") if "|" in line else line.split())
    ]
    assert [term for term in wanted if term.strip() not in listed] == []


def _halves(text: str) -> list[str]:
    return text.split("## Words of this project")


@pytest.mark.process
def test_the_docs_build_without_a_warning(root, tmp_path):
    """mkdocs builds every page, with warnings as errors, and no page loads anything from elsewhere."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe)[^>]+src="(https?:[^"]+)"', html)
        loaded += re.findall(r'<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="(https?:[^"]+)"', html)
        assert loaded == [], page
