"""`rag-qa` as a process of its own: pipes, signals, locales and locks, which no test in this process sees."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rag_qa import build_index
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder

pytestmark = pytest.mark.process

PROGRAM = [sys.executable, str(Path(__file__).with_name("launcher.py"))]
PAPERS = [
    {
        "id": f"p{n}",
        "title": f"Game {n}",
        "abstract": f"A competitive game number {n} of \u201cplayers\u201d is studied.",
    }
    for n in range(1, 6)
]
WHICH = "which papers study a competitive game?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working directory with papers.jsonl and an index in the default place."""
    folder = tmp_path_factory.mktemp("program")
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)))
    build_index([folder / "papers.jsonl"], folder / "rag-qa-index", embedder=HashingEmbedder())
    return folder


def environment(**changes):
    """The environment without settings of ours, with the changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_QA_")}
    return {**kept, "RAG_QA_MIN_RELEVANCE": "0", "RAG_QA_MODEL": STARTER, **changes}


def start(folder, *arguments, **changes):
    """Start the program in the folder with pipes on all sides."""
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment(**changes),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(folder, *arguments, given=b"", **changes):
    """Run the program to its end; returns its exit code, stdout and stderr."""
    process = start(folder, *arguments, **changes)
    out, err = process.communicate(given, timeout=120)
    return process.returncode, out, err


def test_an_answer_is_plain_text_on_stdout(folder):
    """Piped, an answer is UTF-8 without escapes on stdout, and stderr is empty."""
    code, out, err = run(folder, "ask", WHICH)
    assert (code, err) == (0, b"")
    assert b"\x1b" not in out
    assert out.decode().count("[1]") == 2


def test_a_told_error_is_one_line(folder):
    """A told error is one line on stderr, with status 1 and nothing on stdout."""
    code, out, err = run(folder, "ask", WHICH, "--index", "nowhere")
    assert (code, out) == (1, b"")
    assert err.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [["ask", WHICH], ["search", "game", "--json"]])
def test_a_reader_that_stops_early_sees_no_traceback(folder, arguments):
    """`rag-qa … | head -1` prints nothing on stderr."""
    with start(folder, *arguments) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(120) in (0, 1)


def test_a_narrow_encoding_ends_nothing(folder):
    """Where stdout cannot hold a character, the plain letter nearest to it stands for it."""
    code, out, err = run(folder, "ask", WHICH, PYTHONIOENCODING="ascii")
    assert (code, err) == (0, b"")
    assert out.startswith(b'"A competitive game')


@pytest.mark.parametrize("question", [b"caf\xe9 game?", "\x1b[31m\u6e38\u620f game?".encode()])
def test_any_bytes_may_be_asked(folder, question):
    """Bytes that are no UTF-8, other scripts and escapes in a question are answered in JSON too."""
    code, out, err = run(folder, "ask", question, "--json", LC_ALL="C.UTF-8")
    assert (code, err) == (0, b"")
    assert "\x1b" not in json.loads(out)["question"]


def test_chat_takes_any_bytes(folder):
    """A line of a pipe that is no UTF-8 is a question like others, and the session goes on."""
    code, out, err = run(
        folder, "chat", given=b"caf\xe9 game?\n/papers\n", LC_ALL="C.UTF-8", RAG_QA_SESSIONS_DIR=str(folder)
    )
    assert (code, err) == (0, b"")
    assert out.decode().count("[1] Game") == 2


def test_no_home_is_needed(folder):
    """Without a home to write to, questions are answered."""
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"), "/dev/null")
    code, _, err = run(folder, "ask", WHICH, **nowhere)
    assert (code, err) == (0, b"")


def test_ctrl_c_ends_quietly(folder):
    """An interrupted run exits with 130 and prints no traceback."""
    with start(folder, "chat") as process:
        assert process.stdout.readline().startswith(b"Ask the papers.")
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait(60) == 130


def test_papers_come_from_standard_input(folder, tmp_path):
    """`index -` reads papers from a pipe."""
    given = json.dumps(
        {"title": "T", "abstract": "Words enough for a paper that comes from a pipe."}
    ).encode()
    code, out, err = run(folder, "index", "-", "--index", str(tmp_path / "new"), given=given)
    assert (code, err) == (0, b"")
    assert out.startswith(b"1 record found: 1 added")


def test_help_needs_no_heavy_library(folder):
    """`rag-qa --help` loads neither torch, chromadb, transformers nor llama_cpp."""
    code = (
        "import sys; from rag_qa.app.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'chromadb', 'transformers', 'llama_cpp', 'bm25s'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
