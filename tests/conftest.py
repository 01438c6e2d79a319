"""What every test stands on: its tier, what it may touch, and how thorough its properties are."""

import json
import os
import platform
import shutil
import sys
from collections.abc import Generator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import settings

from rag_qa import build_index
from rag_qa.app.cli import main
from rag_qa.testing import HashingEmbedder

# Each mark of a tier permits what the fast tier does without. A test that lacks the mark fails as soon as it
# does one of these things: they are audit events of Python, or the first import of a module.
PERMITTED_BY = {
    **dict.fromkeys(
        ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"),
        ("process", "browser", "model", "writer"),
    ),
    **dict.fromkeys(("torch", "llama_cpp"), ("model", "writer")),
}

# No deadline: a first example may import a library, and other programs may run beside the tests.
# The same examples each time, so that a run fails for a change and not by chance; `explore` looks for new ones.
settings.register_profile("quick", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=150, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("quick")

SERVICE = Path(__file__).parent / "app" / "service"

_running: list[pytest.Item] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """Raise RuntimeError if the running test does what its marks do not permit."""
    if not _running:
        return
    done = str(arguments[0]) if event == "import" else event
    marks = PERMITTED_BY.get(done, ())
    if marks and not any(map(_running[-1].get_closest_marker, marks)):
        raise RuntimeError(f"{done} in a test of the fast tier: mark {_running[-1].nodeid} as `{marks[0]}`")


sys.addaudithook(_watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Watch each test, its fixtures included."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests of the service, and of child processes, speak to this machine; all others may open no socket."""
    for item in items:
        if SERVICE in item.path.parents or any(map(item.get_closest_marker, ("process", "browser"))):
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))


def pytest_configure(config: pytest.Config) -> None:
    """Let through a warning that Chroma 1.5 gives about itself for collections without an embedding function."""
    platform.processor()  # asks a child process, `uname`, and remembers what it said
    config.addinivalue_line("filterwarnings", "ignore:legacy embedding function config:DeprecationWarning")


@pytest.fixture(autouse=True)
def no_commit(request, monkeypatch):
    """A run of the fast tier is of no commit: git, which knows it, is a child process."""
    if not request.node.get_closest_marker("process"):
        monkeypatch.setattr("rag_qa.evaluation.provenance.commit", lambda root: None, raising=False)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """A function that runs `rag-qa` with arguments and returns its exit code, stdout and stderr."""
    monkeypatch.setenv("RAG_QA_SESSIONS_DIR", str(tmp_path / "sessions"))

    def run_one(*arguments):
        monkeypatch.setattr(sys, "argv", ["rag-qa", *arguments])
        code: str | int = 0
        try:
            main()
        except SystemExit as exc:
            code = exc.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run_one


@pytest.fixture(scope="session")
def put_index(tmp_path_factory):
    """A function that puts papers.jsonl and an index of it into a folder; the same papers are indexed only once."""
    made: dict[str, Path] = {}

    def put(papers, folder, name="rag-qa-index"):
        text = "\n".join(map(json.dumps, papers))
        if text not in made:
            made[text] = tmp_path_factory.mktemp("indexed")
            (made[text] / "papers.jsonl").write_text(text, encoding="utf-8")
            build_index([made[text] / "papers.jsonl"], made[text] / "index", embedder=HashingEmbedder())
        shutil.copy(made[text] / "papers.jsonl", folder)
        shutil.copytree(made[text] / "index", folder / name)

    return put


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of shared test data, or skip."""
    default = Path(__file__).parents[1].parent / "shared"
    folder = Path(os.environ.get("RAG_QA_SHARED", default))
    if not (folder / "seeds").is_dir():
        pytest.skip(f"no shared test data at {folder}: set RAG_QA_SHARED")
    return folder


@pytest.fixture(scope="session")
def model_folders():
    """The module that writes tiny models."""
    spec = spec_from_file_location("model_folders", Path(__file__).with_name("model_folders.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def save_embedder(model_folders):
    """A function that writes a tiny random embedder over the words of some texts into a folder, and returns it."""
    return model_folders.save_embedder


@pytest.fixture(scope="session")
def save_cross_encoder(model_folders):
    """A function that writes a tiny random cross-encoder over the words of some texts into a folder."""
    return model_folders.save_cross_encoder
