"""The chat REPL: read a line, stream the answer, remember the turn."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.answering.receipts.write import write_receipt
from rag_qa.app.filtering import read_filter
from rag_qa.app.progress import with_spinner
from rag_qa.app.rendering import say, show_paper, show_stream
from rag_qa.errors import RagQAError
from rag_qa.types import EVERY_PAPER, Answer, Filter

HELP = """\
Ask a question about the papers, then ask on: "and the second one?", "what do they have in common?".
  /filter   only some papers: /filter year=2019..2022 venue=NeurIPS author="Ian Gemp"; /filter off
  /literal  take questions as they stand ("papers by X", "the second one" are not understood), or no longer
  /papers   the papers of the last answer (or how many the index holds)
  /save     the last answer, for `rag-qa verify` and `rag-qa replay`: /save FILE
  /help     this
  /quit     leave (Ctrl-D does too); Ctrl-C stops an answer"""

LEAVE = ("/quit", "/exit", "quit", "exit")


def chat_with(
    assistant: Assistant,
    console: Console,
    lines: Iterator[str] | None = None,
    *,
    filter: Filter = EVERY_PAPER,
    literal: bool = False,
) -> None:
    """Hold a conversation until the lines end or /quit; lines come from the terminal unless given."""
    if lines is None:
        say(console, "Ask the papers. /help shows the commands.")
        lines = _typed_lines()
    chat = Chat(assistant, console, filter=filter, literal=literal)
    for line in lines:
        text = line.strip()
        if text.lower() in LEAVE:
            return
        if text:
            chat.turn(text)


class Chat:
    """A conversation: the turns so far, and how the next question is to be taken."""

    def __init__(self, assistant: Assistant, console: Console, *, filter: Filter, literal: bool) -> None:
        self._assistant = assistant
        self._console = console
        self._history: list[Answer] = []
        self._filter = filter
        self._literal = literal
        self._commands: dict[str, Callable[[str], None]] = {
            "/help": lambda _: say(console, HELP),
            "/papers": self._show_papers,
            "/filter": self._set_filter,
            "/literal": self._set_literal,
            "/save": self._save,
        }

    def turn(self, text: str) -> None:
        """Obey a command, or answer a question and remember it; told errors and Ctrl-C end the turn only."""
        try:
            if text.startswith("/"):
                self._obey(text)
            else:
                self._history.append(self._answer(text))
        except RagQAError as exc:
            say(self._console, str(exc))
        except KeyboardInterrupt:
            say(self._console, "(stopped)")
        self._console.print()

    def _answer(self, question: str) -> Answer:
        stream = self._assistant.stream(
            question, history=self._history, filter=self._filter, literal=self._literal
        )
        with closing(with_spinner(stream, Console(stderr=True))) as events:
            return show_stream(self._console, events)

    def _obey(self, text: str) -> None:
        name, _, rest = text.partition(" ")
        command = self._commands.get(name)
        if command is None:
            say(self._console, f"There is no command {name}; /help lists them.")
        else:
            command(rest.strip())

    def _set_filter(self, text: str) -> None:
        """Change the filter once papers are known to pass it; without one, say which is set."""
        if text:
            wanted = EVERY_PAPER if text == "off" else read_filter(text)
            count = self._assistant.count(wanted)
            self._filter = wanted
            say(self._console, f"{count} papers {self._filter.text}".rstrip() + ".")
        else:
            say(
                self._console,
                f"Only papers {self._filter.text}." if self._filter.text else "No filter is set.",
            )

    def _set_literal(self, _: str) -> None:
        self._literal = not self._literal
        say(
            self._console,
            "Questions are taken as they stand." if self._literal else "Questions are understood again.",
        )

    def _save(self, text: str) -> None:
        if not self._history:
            say(self._console, "There is no answer to save yet.")
        elif not text:
            say(self._console, "Name a file: /save FILE")
        else:
            write_receipt(self._history[-1], Path(os.path.expanduser(text)))
            say(self._console, f"Saved: {text}")

    def _show_papers(self, _: str) -> None:
        last = next((answer for answer in reversed(self._history) if answer.papers), None)
        if last is None:
            say(self._console, f"The index holds {self._assistant.count()} papers.")
            return
        for number, paper in enumerate(last.papers, 1):
            show_paper(self._console, number, paper)


def _typed_lines() -> Iterator[str]:
    """Yield what is typed; with line editing and a history file in a terminal, plain lines from a pipe."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield from sys.stdin
        return
    ask = _prompt()
    while True:
        try:
            yield ask("> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _prompt() -> Callable[[str], str]:
    from platformdirs import user_data_path
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    try:
        file = user_data_path("rag_qa", ensure_exists=True) / "chat_history"
        file.touch(mode=0o600)
    except (
        OSError,
        RuntimeError,
    ):  # no home, or one that cannot be written to, must not keep anyone from asking
        return PromptSession(history=InMemoryHistory()).prompt
    return PromptSession(history=FileHistory(str(file))).prompt
