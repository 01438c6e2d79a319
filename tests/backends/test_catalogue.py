import re

import pytest

from rag_qa.backends.catalogue import catalogue, find_entry
from rag_qa.backends.locating import STARTER, WRITER
from rag_qa.errors import ModelNotFoundError


def test_names_are_unique():
    """No two entries of the catalogue answer to the same name, whatever the case."""
    names = [entry.name.casefold() for entry in catalogue()]
    assert len(names) == len(set(names))


def test_each_kind_has_an_entry_and_starters_come_first():
    """The first embedder and the first generator are the starters, which need no download."""
    for kind in ("embedder", "generator"):
        assert next(entry for entry in catalogue() if entry.kind == kind).is_starter
    assert any(entry.kind == "reranker" for entry in catalogue())


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_every_entry_is_pinned_and_can_be_had(entry):
    """An entry names its weights by hash, and comes from a package or from a commit of a hub repository."""
    assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
    assert entry.package or entry.repo
    assert (entry.package is None) == (entry.distribution is None)
    assert entry.repo is None or re.fullmatch("[0-9a-f]{40}", entry.revision)
    assert (entry.style is None) == (entry.memory_gb is None) == (entry.kind != "generator")


def test_the_writer_and_the_starter_are_in_the_catalogue():
    """The two models between which `auto` chooses are generators: one writes prose, the other quotes."""
    assert find_entry(WRITER, kind="generator").style == "synthesis"
    assert find_entry(STARTER, kind="generator").style == "quote"


def test_memory_holds_more_than_the_file():
    """The memory stated for a generator is larger than its file."""
    for entry in catalogue():
        assert entry.memory_gb is None or entry.memory_gb > entry.size_mb / 1000 + 1


def test_names_and_repositories_are_found_whatever_their_case():
    """A model is found by its name or its hub repository in any case."""
    assert find_entry("ALL-minilm-l6-v2").name == "all-MiniLM-L6-v2"
    assert find_entry("baai/bge-small-en-v1.5").name == "bge-small-en-v1.5"


def test_an_unknown_name_is_told_with_the_nearest():
    """A misspelt name raises ModelNotFoundError that names the nearest entry and all of its kind."""
    with pytest.raises(ModelNotFoundError, match=r"Did you mean SmolLM2-135M-Instruct\?") as caught:
        find_entry("smolm2-135m-instruct", kind="generator")
    assert "Qwen2.5-7B-Instruct" in str(caught.value)
    assert "bge-small" not in str(caught.value)


def test_a_model_of_another_kind_is_not_found():
    """An embedder's name is no generator's name."""
    with pytest.raises(ModelNotFoundError, match="no generator called"):
        find_entry("all-MiniLM-L6-v2", kind="generator")
