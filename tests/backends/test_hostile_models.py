"""A model that somebody else made runs no code of its own, whatever its folder asks for."""

import json
import pickle
import subprocess
import sys
from contextlib import suppress

import pytest

from rag_qa.backends.embedding import open_embedder, open_sentence_embedder
from rag_qa.backends.probing import probe_llama
from rag_qa.settings import Settings
from tests.traps import Trap

pytestmark = pytest.mark.model

TEXT = "Games have players."
EVIL = """from pathlib import Path
Path({marker!r}).touch()
class Model:
    @classmethod
    def load(cls, *_, **__): return cls()
    from_pretrained = load
Config = Tokenizer = Model
"""


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """The file that any code of the model would make."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "it ran"


@pytest.fixture
def folder(tmp_path, marker, save_embedder):
    """A sound model, with a module beside it that is never to be imported."""
    folder = save_embedder(tmp_path / "model", [TEXT])
    (folder / "evil.py").write_text(EVIL.format(marker=str(marker)))
    return folder


def change(file, **fields):
    """Change some fields of a JSON file, made if it is missing."""
    known = json.loads(file.read_text()) if file.exists() else {}
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(known | fields))


def own_module_class(folder, marker):
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "evil.Model"
    (folder / "modules.json").write_text(json.dumps(modules))


def own_model_class(folder, marker):
    change(
        folder / "config.json",
        model_type="evil",
        auto_map={"AutoConfig": "evil.Config", "AutoModel": "evil.Model", "AutoTokenizer": "evil.Tokenizer"},
    )


def own_tokenizer_class(folder, marker):
    auto_map = {"AutoTokenizer": ["evil.Tokenizer", "evil.Tokenizer"]}
    change(folder / "tokenizer_config.json", tokenizer_class="Tokenizer", auto_map=auto_map)


def pickled_weights(folder, marker):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(marker)))


def own_activation(folder, marker):
    modules = json.loads((folder / "modules.json").read_text())
    dense = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    (folder / "modules.json").write_text(json.dumps([*modules, dense]))
    change(
        folder / "3_Dense" / "config.json", in_features=32, out_features=32, activation_function="evil.Model"
    )


def asked_for(folder, marker):
    own_module_class(folder, marker)
    own_model_class(folder, marker)
    for name in ("config_sentence_transformers.json", "sentence_bert_config.json"):
        wish = {"trust_remote_code": True}
        change(folder / name, **wish, model_args=wish, config_args=wish, model_kwargs=wish)


HOSTILE = (own_module_class, own_model_class, own_tokenizer_class, pickled_weights, own_activation, asked_for)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.__name__)
@pytest.mark.parametrize(
    "opening", [open_embedder, open_sentence_embedder], ids=lambda opening: opening.__name__
)
def test_a_model_folder_runs_no_code(opening, hostile, folder, marker, monkeypatch):
    """Its module classes, its model's or tokenizer's, pickled weights and named functions are refused or left alone."""
    hostile(folder, marker)
    monkeypatch.chdir(folder)
    with suppress(Exception):
        opening(Settings(embedder=str(folder))).encode([TEXT], role="query")
    assert not marker.exists()


def test_the_traps_work(folder, marker):
    """Each trap leaves its file if its code does run: the test above could fail."""
    subprocess.run([sys.executable, "-c", "import evil"], cwd=folder, check=True)
    assert marker.exists()
    marker.unlink()
    pickle.loads(pickle.dumps(Trap(marker))).close()
    assert marker.exists()


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 4096, b"\x80\x04\x95" + b"\0" * 100])
def test_a_damaged_language_model_is_told(content, tmp_path):
    """A file that is no model ends the child that tries it, not this process, and the reason is told."""
    (tmp_path / "model.gguf").write_bytes(content)
    result = probe_llama(tmp_path / "model.gguf")
    assert not result.ok
    assert "--model" in result.failure
