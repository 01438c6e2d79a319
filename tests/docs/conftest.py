"""Runs what a page shows: its commands, its Python, one after the other in a folder of its own."""

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rag_qa import build_index
from rag_qa.app.cli import main
from rag_qa.sample import sample_papers_path
from rag_qa.testing import HashingEmbedder

ROOT = Path(__file__).parents[2]
LAUNCHER = Path(__file__).with_name("launcher.py")
# A page is not followed past an answer that is an error, nor over a proxy.
CURL = ("curl", "--fail", "--noproxy", "*")
SERVICE = "127.0.0.1:8765"
_BLOCK = re.compile(
    r'(?:^<!-- (?P<when>not run|run): (?P<how>[^\n]*?) -->\n)?^```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n'
    r"(?P<text>.*?)^```$|^<!-- file: (?P<file>\S+)\n(?P<content>.*?)^-->$",
    re.MULTILINE | re.DOTALL,
)
_SET = re.compile(r"[A-Z][A-Z_]*=")


class Block(NamedTuple):
    """A fenced block of a page, or a file that the page needs.

    `tier` says with what it is run: "" always, "model", "writer", "service", or "no" for the `reason`.
    """

    language: str
    text: str
    tier: str = ""
    reason: str = ""
    file: str = ""

    @property
    def runs(self) -> bool:
        """Whether it holds commands or Python."""
        return self.language in ("console", "python")

    @property
    def shows_output(self) -> bool:
        """Whether it shows what a command prints."""
        return self.language == "console" and any(command.shown for command in read_commands(self.text))


class Command(NamedTuple):
    """A command of a console block, the lines typed into it (after "> "), and the output shown below it."""

    line: str
    typed: str
    shown: str


def read_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    return [_block(found) for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def _block(found: re.Match[str]) -> Block:
    if found["file"]:
        return Block("file", found["content"], file=found["file"])
    tier = {"run": found["how"], "not run": "no", None: ""}[found["when"]]
    reason = found["how"] if tier == "no" else ""
    return Block(found["language"], found["text"], tier, reason, found["title"] or "")


def read_commands(text: str) -> list[Command]:
    """Return the commands of a console block."""
    commands = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, rest = part.partition("\n")
        lines = rest.splitlines()
        typed = "".join(f"{one[2:]}\n" for one in lines if one.startswith("> "))
        shown = "\n".join(one for one in lines if not one.startswith("> ")).strip()
        commands.append(Command(line, typed, shown))
    return commands


def shows(shown: str, output: str) -> bool:
    """Whether a page shows an output: line by line, where "…" stands for anything."""
    pattern = ".*".join(map(re.escape, shown.split("…")))
    return re.fullmatch(pattern, output.strip(), re.DOTALL) is not None


class Run(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str


class Reader:
    """A reader who does what a page says, in the working directory. Only blocks of these `tiers` are run.

    With `compare` the output of each command must be the one that the page shows.
    """

    def __init__(self, tiers: frozenset[str], *, compare: bool) -> None:
        self._tiers = tiers
        self._compare = compare
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._address = SERVICE
        self._services: list[subprocess.Popen[str]] = []

    def follow(self, page: Path) -> int:
        """Run the blocks of a page, write its files, and return how many blocks were run."""
        count = 0
        for block in read_blocks(page):
            if block.file:
                Path(block.file).parent.mkdir(parents=True, exist_ok=True)
                Path(block.file).write_text(block.text, encoding="utf-8")
            elif block.runs and block.tier in self._tiers:
                self._run(block)
                count += 1
        return count

    def _run(self, block: Block) -> None:
        text = block.text.replace(SERVICE, self._address)
        if block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(text, "a page", "exec"), self._names)
            return
        for command in read_commands(text):
            self._do(command)

    def _do(self, command: Command) -> None:
        words = shlex.split(command.line, comments=True)
        environment = {}
        while _SET.match(words[0]):
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        if words[:2] == ["rag-qa", "serve"]:
            self._serve(words[1:], command)
            return
        if words[0] == "cp":
            shutil.copy(*words[1:])
            return
        if words[0] == "rag-qa":
            done = run_program(words[1:], command.typed, environment)
        else:
            words = [*CURL, *words[1:]] if words[0] == "curl" else words
            given = subprocess.run(words, capture_output=True, text=True, env=os.environ | environment)
            done = Run(given.returncode, given.stdout, given.stderr)
        assert done.status == 0, f"$ {command.line}\n{done.out}{done.err}"
        if self._compare and command.shown:
            assert shows(command.shown, done.out), f"$ {command.line}\n{done.out}"

    def _serve(self, words: list[str], command: Command) -> None:
        """Start a service at a free port, with the fake embedder, and remember its address."""
        started = subprocess.Popen(
            [sys.executable, str(LAUNCHER), *words, "--port", "0", "--style", "quote"],
            stderr=subprocess.PIPE,
            text=True,
        )
        self._services.append(started)
        assert started.stderr is not None
        lines = started.stderr.readline() + started.stderr.readline()
        found = re.search(r"127\.0\.0\.1:\d+", lines)
        assert found, lines
        self._address = found[0]
        assert not command.shown or lines.strip() == command.shown.strip().replace(SERVICE, self._address)

    def close(self) -> None:
        """Stop the services."""
        for started in self._services:
            started.send_signal(signal.SIGINT)
            started.communicate(timeout=60)


def run_program(arguments: list[str], typed: str = "", environment: dict[str, str] | None = None) -> Run:
    """Run `rag-qa` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["rag-qa", *arguments])
        patch.setattr(sys, "stdin", io.StringIO(typed))
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        status = 0
        try:
            main()
        except SystemExit as exc:
            status = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    return Run(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def fake_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index of the sample papers with the fake embedder."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copy(sample_papers_path(), folder / "sample.jsonl")
    build_index([folder / "sample.jsonl"], folder / "index", embedder=HashingEmbedder())
    return folder / "index"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder with the sample papers in papers/, with caches and conversations of its own."""
    (tmp_path / "work" / "papers").mkdir(parents=True)
    shutil.copy(sample_papers_path(), tmp_path / "work" / "papers" / "sample.jsonl")
    monkeypatch.chdir(tmp_path / "work")
    for name in [name for name in os.environ if name.startswith("RAG_QA_") and name != "RAG_QA_MODELS_DIR"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("RAG_QA_SESSIONS_DIR", str(tmp_path / "sessions"))
    monkeypatch.setenv("RAG_QA_STYLE", "quote")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "work"


@pytest.fixture
def fakes(home: Path, fake_index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Answer in quotes with the fake embedder, over the sample papers in rag-qa-index; return the folder."""
    from rag_qa.answering.verdict.model import Verifier

    for module in ("rag_qa.answering.assistant", "rag_qa.index.builder"):
        monkeypatch.setattr(f"{module}.open_embedder", lambda settings: HashingEmbedder())
    monkeypatch.setattr("rag_qa.answering.verdict.model._default", lambda: Verifier(HashingEmbedder()))
    shutil.copytree(fake_index, home / "rag-qa-index")
    return home


@pytest.fixture
def reader() -> Iterator[Callable[..., Reader]]:
    """A function that returns a reader of pages; its services end with the test."""
    readers: list[Reader] = []

    def read(*tiers: str, compare: bool) -> Reader:
        readers.append(Reader(frozenset(tiers), compare=compare))
        return readers[-1]

    yield read
    for one in readers:
        one.close()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


def pages() -> list[Path]:
    """Return the pages that are read: README.md and those in docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes a page each page that has something for it."""
    if "page" not in metafunc.fixturenames:
        return
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    chosen = [page for page in pages() if any(_tested(block, marks) for block in read_blocks(page))]
    metafunc.parametrize("page", chosen, ids=[str(page.relative_to(ROOT)) for page in chosen])


def _tested(block: Block, marks: set[str]) -> bool:
    """Whether a block is what a test with these marks is for."""
    if "process" in marks:
        return block.tier == "service"
    if "writer" in marks:
        return block.tier == "writer"
    if "model" in marks:
        return block.tier == "model" or (block.tier == "" and block.shows_output)
    return block.tier == "" and block.runs


@pytest.fixture(scope="session")
def every_block() -> list[tuple[Path, Block]]:
    """Return every block with its page."""
    return [(page, block) for page in pages() for block in read_blocks(page)]
