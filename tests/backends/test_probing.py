import sys

import pytest

from rag_qa.backends import probing
from rag_qa.backends.locating import locate_model
from rag_qa.backends.probing import ensure_llama_works, probe_llama
from rag_qa.errors import BackendError

pytestmark = pytest.mark.process


def child(program):
    return [sys.executable, "-c", program]


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A model file, with a memory of its own."""
    monkeypatch.setattr(probing, "user_cache_path", lambda _: tmp_path / "cache")
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    return file


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGILL"])
def test_a_crash_is_told_with_its_cure(model, name):
    """A child killed by a signal yields a failure that names it, the known fault and the rebuild command."""
    result = probe_llama(model, command=child(f"import os, signal; os.kill(os.getpid(), signal.{name})"))
    assert not result.ok
    for part in (
        name,
        "ggml-org/llama.cpp#20824",
        "-mno-amx-tile",
        "--no-binary llama-cpp-python",
        "make llama",
    ):
        assert part in result.failure


def test_a_child_that_hangs_is_ended(model):
    """A child that generates nothing in time is killed and reported."""
    result = probe_llama(model, timeout=0.2, command=child("import time; time.sleep(60)"))
    assert "no token within" in result.failure


def test_an_error_of_the_child_is_told_by_its_last_line(model):
    """A child that ends with an exception yields its last line and what to do."""
    result = probe_llama(model, command=child("raise ValueError('no such architecture')"))
    assert "ValueError: no such architecture" in result.failure
    assert "--model" in result.failure


def test_a_missing_runtime_is_told(model):
    """Without llama-cpp-python the failure names the command that installs it."""
    program = "raise ModuleNotFoundError(\"No module named 'llama_cpp'\")"
    assert "pip install llama-cpp-python" in probe_llama(model, command=child(program)).failure


def test_a_failure_is_not_remembered(model, monkeypatch):
    """ensure_llama_works raises BackendError each time that llama.cpp fails."""
    failed = probing.ProbeResult(failure="crashed", seconds=0.0)
    monkeypatch.setattr(probing, "probe_llama", lambda _: failed)
    for _ in range(2):
        with pytest.raises(BackendError, match="crashed"):
            ensure_llama_works(model)


def test_a_success_is_remembered_for_the_build_processor_and_model(model, monkeypatch):
    """A second call runs no child; another model file, processor or build does."""
    calls = []

    def probe(path):
        calls.append(path)
        return probing.ProbeResult(failure=None, seconds=0.1)

    monkeypatch.setattr(probing, "probe_llama", probe)
    ensure_llama_works(model)
    ensure_llama_works(model)
    assert len(calls) == 1
    model.write_bytes(b"GGUF, another")
    ensure_llama_works(model)
    assert len(calls) == 2
    monkeypatch.setattr(probing, "cpu_flags", lambda: {"another"})
    ensure_llama_works(model)
    assert len(calls) == 3


@pytest.mark.model
def test_the_installed_llama_generates_a_token():
    """The real child generates a token with the starter model and reports the build."""
    result = probe_llama(locate_model("SmolLM2-135M-Instruct", kind="generator").path)
    assert result.ok, result.failure
    assert "CPU" in result.system_info


@pytest.mark.model
def test_a_file_that_is_no_model_is_told(model):
    """The real child refuses a file that is no GGUF, and the failure names the file."""
    result = probe_llama(model)
    assert not result.ok
    assert str(model) in result.failure
