"""What README.md and docs/ show is done, in order, page by page."""

import re
from collections import Counter

import pytest

from rag_qa import build_index
from rag_qa.backends.locating import WRITER, locate_model
from rag_qa.errors import ModelNotFoundError

# Blocks that no test runs: how many a page has for which reason.
NOT_RUN = {
    ("docs/explanation/disk.md", "the index is sound"): 1,
    ("docs/explanation/scale.md", "needs Ray"): 1,
    ("docs/explanation/scale.md", "needs a server"): 1,
    ("README.md", "sets up the environment"): 1,
    ("docs/guides/conference.md", "needs a large download"): 1,
    ("docs/guides/evaluating.md", "takes minutes"): 1,
    ("docs/guides/gpu.md", "needs a GPU"): 2,
    ("docs/guides/language.md", "needs a download"): 1,
    ("docs/guides/mcp.md", "does not end by itself"): 1,
    ("docs/guides/models.md", "needs a download"): 3,
    ("docs/guides/server.md", "does not end by itself"): 1,
    ("docs/tutorial.md", "sets up the environment"): 1,
}
LANGUAGES = {"console", "json", "mermaid", "python", "text", "toml"}


def test_every_command_and_python_block_runs(page, fakes, reader):
    """Each page runs from top to bottom without an error, with the fake embedder."""
    assert reader("", compare=False).follow(page)


@pytest.mark.model
def test_outputs_are_those_shown(page, home, reader):
    """With the starter embedder each command prints what the page shows below it."""
    build_index(["papers/"], "rag-qa-index")
    assert reader("", "model", compare=True).follow(page)


@pytest.mark.process
def test_the_service_answers_as_shown(page, fakes, reader):
    """What a page sends to a running service is answered."""
    assert reader("", "service", compare=False).follow(page)


@pytest.mark.model
@pytest.mark.writer
def test_the_writer_answers_as_shown(page, home, reader, monkeypatch):
    """The transcript of the demo is what the demo prints."""
    try:
        locate_model(WRITER, kind="generator")
    except ModelNotFoundError as exc:
        pytest.skip(str(exc))
    monkeypatch.delenv("RAG_QA_STYLE")
    monkeypatch.setenv("RAG_QA_MODEL", WRITER)
    build_index(["papers/"], "demo-index")
    build_index(["papers/"], "rag-qa-index")
    assert reader("writer", compare=True).follow(page)


def test_what_is_not_run_is_listed(every_block, root):
    """A block that no test runs is listed here with its reason, so that their number cannot grow unseen."""
    found = Counter(
        (page.relative_to(root).as_posix(), block.reason) for page, block in every_block if block.tier == "no"
    )
    assert dict(found) == NOT_RUN


def test_blocks_say_what_they_are(every_block):
    """Every fenced block names a language that is known here, so that no command hides in another."""
    assert {block.language for _, block in every_block if block.language != "file"} <= LANGUAGES
    assert {block.tier for _, block in every_block} <= {"", "no", "model", "writer", "service"}


def test_commands_stand_in_console_blocks(every_block):
    """No block of text or indented lines holds a command."""
    for page, block in every_block:
        assert block.language == "console" or not re.search(r"^\s*\$ ", block.text, re.MULTILINE), page
        indented = re.search(r"^ {4}(?:\$ )?(?:rag-qa|make|pip|curl) ", page.read_text("utf-8"), re.MULTILINE)
        assert indented is None, f"{page}: {indented and indented[0]}"


def test_a_wrong_output_is_seen(tmp_path, fakes, reader):
    """A page whose output differs from what the command prints fails, and so does one whose command fails."""
    page = tmp_path / "page.md"
    page.write_text("```console\n$ rag-qa --version\nrag-qa 9.9\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="rag-qa --version"):
        reader("", compare=True).follow(page)
    page.write_text("```console\n$ rag-qa ask --index missing why\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="there is no finished index"):
        reader("", compare=False).follow(page)
    page.write_text("```python\nassert 1 == 2\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        reader("", compare=False).follow(page)
