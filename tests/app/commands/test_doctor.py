import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from rag_qa import build_index
from rag_qa.app import checks
from rag_qa.app.checks import (
    index_check,
    libraries_check,
    llama_check,
    model_check,
    python_check,
    run_checks,
    runtime_check,
)
from rag_qa.app.commands.doctor import doctor
from rag_qa.backends import locating, probing
from rag_qa.backends.locating import LocatedModel, ModelChoice
from rag_qa.testing import HashingEmbedder

HEAVY = ("torch", "chromadb", "llama_cpp", "transformers", "sentence_transformers", "huggingface_hub")


@pytest.fixture
def app():
    program = typer.Typer()
    program.command()(doctor)
    return program


def crashing(monkeypatch):
    """Replace the child that tries llama.cpp by one that kills itself."""
    program = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    real = probing.probe_llama
    monkeypatch.setattr(
        probing, "probe_llama", lambda path: real(path, command=[sys.executable, "-c", program])
    )


def test_this_python_and_its_libraries_are_fine():
    """If the tests run, Python is new enough and every library is installed."""
    assert python_check().status == "ok"
    assert libraries_check().status == "ok"


def test_an_old_python_is_reported(monkeypatch):
    """A Python older than the oldest supported one is a failure."""
    monkeypatch.setattr(checks, "OLDEST_PYTHON", (99, 0))
    assert python_check().status == "fail"


def test_a_missing_library_is_reported(monkeypatch):
    """A library that is not installed is a failure whose cure installs it."""
    monkeypatch.setattr(checks, "LIBRARIES", ("numpy", "no-such-library"))
    check = libraries_check()
    assert (check.status, check.cure) == ("fail", "pip install no-such-library")


def test_a_model_that_is_not_here_is_reported(monkeypatch):
    """A language model that the settings name and that is nowhere is a failure with its cure."""
    monkeypatch.setenv("RAG_QA_MODEL", "no-such-model")
    path, check = model_check("language model", "generator")
    assert path is None
    assert check.status == "fail"
    assert "rag-qa models list" in check.cure


@pytest.mark.parametrize("reason", ["the writer is not on this machine; pull it", None])
def test_the_doctor_says_which_model_serves_and_why(monkeypatch, tmp_path, reason):
    """With the model `auto` the check names the model that serves and the reason; a named one needs none."""
    chosen = ModelChoice(name="some model", reason=reason)
    monkeypatch.setattr(locating, "choose_model", lambda model: chosen)
    located = LocatedModel(entry=None, path=tmp_path / "some.gguf", sha256="0" * 64)
    monkeypatch.setattr(locating, "locate_model", lambda name, *, kind: located)
    monkeypatch.delenv("RAG_QA_MODEL", raising=False)
    _, check = model_check("language model", "generator")
    assert check.status == "ok"
    assert check.detail.startswith("some.gguf, ")
    assert check.detail.endswith(f"; serves because {reason or 'it is here and memory suffices'}")
    monkeypatch.setenv("RAG_QA_MODEL", "some.gguf")
    assert "serves" not in model_check("language model", "generator")[1].detail


def test_the_doctor_says_what_embeds_questions(monkeypatch, tmp_path, save_embedder):
    """The check names the runtime of questions; a folder that holds no embedder is a failure."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("RAG_QA_EMBEDDER", str(save_embedder(tmp_path / "model", ["games"])))
    assert "ONNX Runtime will embed" in runtime_check().detail
    monkeypatch.setenv("RAG_QA_EMBEDDER_RUNTIME", "torch")
    assert "sentence-transformers embeds all texts: the settings say so" in runtime_check().detail
    (tmp_path / "model" / "1_Pooling" / "config.json").unlink()
    (tmp_path / "model" / "config.json").write_text("{}")
    check = runtime_check()
    assert check.status == "fail"
    assert check.cure == "see `rag-qa models list`"


@pytest.mark.process
def test_a_crash_of_llama_is_a_failure_with_its_cure(tmp_path, monkeypatch):
    """A llama.cpp that dies by SIGSEGV is a failure whose cure rebuilds it."""
    crashing(monkeypatch)
    check = llama_check(tmp_path)
    assert check.status == "fail"
    assert "SIGSEGV" in check.detail
    assert "make llama" in check.cure


@pytest.mark.process
def test_an_index_that_is_not_there_is_a_failure(tmp_path):
    """A folder without an index is a failure whose cure builds one."""
    check = index_check(tmp_path / "nowhere")
    assert check.status == "fail"
    assert check.cure == f"rag-qa index SOURCE… --index {tmp_path / 'nowhere'}"


def test_doctor_exits_with_one_when_something_fails(app, monkeypatch):
    """A failing check makes `rag-qa doctor` print its cure and exit with 1."""
    monkeypatch.setattr(checks, "LIBRARIES", ("no-such-library",))
    monkeypatch.setenv("RAG_QA_MODEL", "no-such-model")
    result = CliRunner().invoke(app)
    assert result.exit_code == 1
    assert "FAIL  libraries" in result.stdout
    assert "→ pip install no-such-library" in result.stdout


@pytest.mark.process
def test_doctor_repairs_an_index(app, tmp_path):
    """`--repair` mends an index, names a lost paper with its file, and exits with 1 if there is one, else with 0."""
    source = tmp_path / "papers.jsonl"
    source.write_text(
        '{"id": "soup", "title": "On soup", "abstract": "Salt the water before the onions go in."}\n'
    )
    index = tmp_path / "index"
    build_index([source], index, embedder=HashingEmbedder())
    path = index / "papers.sqlite3"
    sound = path.read_bytes()
    command = ["--repair", "--index", str(index)]
    path.write_bytes(sound.replace(b"onions", b"anions", 1))
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, "made again" in done.stdout) == (0, True), done.stdout
    path.write_bytes(path.read_bytes().replace(b"onions", b"anions"))
    assert "rag-qa doctor --repair --index" in index_check(index).cure
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert "FAIL  repair: the paper soup (“On soup”) is lost" in done.stdout
    assert f"→ rag-qa index {source} --index {index}" in done.stdout
    assert CliRunner().invoke(app, command).exit_code == 0


def test_repair_needs_an_index(app):
    """`--repair` without an index is an error that names the option."""
    assert "--index FOLDER" in str(CliRunner().invoke(app, ["--repair"]).exception)


def test_doctor_prints_json(app, monkeypatch):
    """`rag-qa doctor --json` prints the checks as a list, with the same exit status."""
    monkeypatch.setenv("RAG_QA_MODEL", "no-such-model")
    result = CliRunner().invoke(app, ["--json"])
    checks = {check["name"]: check["status"] for check in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert checks["language model"] == "fail"


@pytest.mark.process
def test_nothing_heavy_is_imported_to_name_the_commands():
    """Importing the doctor and the model commands loads no model runtime and no vector store."""
    program = (
        "import sys; import rag_qa.app.commands.doctor, rag_qa.app.commands.models; "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.model
def test_this_machine_is_well(app):
    """With the starter models, every check passes and llama.cpp reports its instruction sets."""
    assert {check.name: check.status for check in run_checks()} == dict.fromkeys(
        ("python", "libraries", "language model", "embedder", "embedding", "llama.cpp"), "ok"
    )
    assert "CPU" in next(check.detail for check in run_checks() if check.name == "llama.cpp")
