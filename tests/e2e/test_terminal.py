"""`rag-qa chat` in a terminal of its own: a pseudo-terminal of the standard library, with somebody who types."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
from pathlib import Path

import pytest

from rag_qa import build_index
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder

pytestmark = pytest.mark.process

PROGRAM = [sys.executable, str(Path(__file__).with_name("launcher.py"))]
SECONDS = 60
PAPERS = [
    {"id": f"p{n}", "title": f"Game {n}", "abstract": f"A competitive game number {n} of players is studied."}
    for n in range(1, 6)
]
SEQUENCE = re.compile(r"\x1b\[[?\d;]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r")


class Typist:
    """A person at a terminal: reads until something is shown, and types."""

    def __init__(self, folder, *arguments, columns=60, rows=20, **changes):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_QA_")}
        environment = {
            **kept,
            "TERM": "xterm-256color",
            "PROMPT_TOOLKIT_NO_CPR": "1",
            "RAG_QA_MIN_RELEVANCE": "0",
            "RAG_QA_MODEL": STARTER,
            "RAG_QA_SESSIONS_DIR": str(folder / "sessions"),
            **changes,
        }
        self.seen = ""
        self._position = 0
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(folder)
            os.execve(PROGRAM[0], [*PROGRAM, *arguments], environment)

    def types(self, keys):
        os.write(self._terminal, keys.encode())

    def sees(self, text):
        """Read until a text is shown after the one before; returns what was shown up to it, without sequences."""
        while text not in (shown := SEQUENCE.sub("", self.seen)[self._position :]):
            self.seen += self._read() or pytest.fail(f"{text!r} was never shown, only {shown!r}")
        self._position += shown.index(text) + len(text)
        return shown[: shown.index(text)]

    def leaves(self):
        """Read to the end, and return the exit status."""
        while read := self._read():
            self.seen += read
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])

    def _read(self):
        if not select.select([self._terminal], [], [], SECONDS)[0]:
            return ""
        try:
            return os.read(self._terminal, 65536).decode(errors="replace")
        except OSError:
            return ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working directory with an index in the default place."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)))
    build_index([folder / "papers.jsonl"], folder / "rag-qa-index", embedder=HashingEmbedder())
    return folder


def test_a_conversation_is_typed(folder):
    """Questions and commands are typed at a prompt, on several lines too; the conversation is saved and goes on."""
    person = Typist(folder, "chat")
    person.sees(">")
    person.types("which papers study\\\ra competitive game?\r")
    person.sees("[2] Game")
    person.types("/papers\r")
    person.sees("[1] Game")
    person.types("/quit\r")
    assert person.leaves() == 0
    again = Typist(folder, "chat", "--resume")
    assert "continues after 1 question." in again.sees("> which papers study a competitive game?")
    again.sees("/help shows the commands.")
    again.sees(">")
    again.types("\x04")
    assert again.leaves() == 0


@pytest.mark.parametrize("changes", [{"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=["dumb", "no colour"])
def test_plain_terminals(folder, changes):
    """In a dumb terminal no cursor is moved by an answer, and with NO_COLOR nothing is coloured."""
    person = Typist(folder, "chat", **changes)
    person.sees(">")
    before = len(person.seen)
    person.types("which papers study a competitive game?\r")
    person.sees("[5] Game")
    assert not re.search(r"\x1b\[(?:\d+;)?3[1-6]m", person.seen[before:])
    if "TERM" in changes:
        assert "\x1b[" not in person.seen[before:].replace("\x1b[0m", "")
    person.types("/quit\r")
    assert person.leaves() == 0
