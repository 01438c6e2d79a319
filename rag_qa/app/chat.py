"""The chat REPL: read a line, stream the answer, remember the turn."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.progress import with_spinner
from rag_qa.app.rendering import say, show_paper, show_stream
from rag_qa.errors import RagQAError
from rag_qa.types import Answer

HELP = """\
Ask a question about the papers, then ask on: "and the second one?", "what do they have in common?".
  /papers   the papers of the last answer (or how many the index holds)
  /literal  a question after it is asked word for word, without the turns before
  /help     this
  /quit     leave (Ctrl-D does too); Ctrl-C stops an answer"""

LITERAL = "/literal"
LEAVE = ("/quit", "/exit", "quit", "exit")


def chat_with(assistant: Assistant, console: Console, lines: Iterator[str] | None = None) -> None:
    """Hold a conversation until the lines end or /quit; lines come from the terminal unless given."""
    history: list[Answer] = []
    if lines is None:
        say(console, "Ask the papers. /help shows the commands.")
        lines = _typed_lines()
    for line in lines:
        text = line.strip()
        if text.lower() in LEAVE:
            return
        if text:
            _turn(assistant, console, text, history)


def _turn(assistant: Assistant, console: Console, text: str, history: list[Answer]) -> None:
    """Obey a command, or answer a question and remember it; told errors and Ctrl-C end the turn only."""
    try:
        if text.startswith(f"{LITERAL} "):
            history.append(_answer(assistant, console, text.removeprefix(LITERAL).strip(), ()))
        elif text.startswith("/"):
            _command(assistant, console, text, history)
        else:
            history.append(_answer(assistant, console, text, history))
    except RagQAError as exc:
        say(console, str(exc))
    except KeyboardInterrupt:
        say(console, "(stopped)")
    console.print()


def _answer(assistant: Assistant, console: Console, question: str, history: Sequence[Answer]) -> Answer:
    stream = assistant.stream(question, history=history)
    with closing(with_spinner(stream, Console(stderr=True))) as events:
        return show_stream(console, events)


def _command(assistant: Assistant, console: Console, text: str, history: list[Answer]) -> None:
    if text == "/help":
        say(console, HELP)
    elif text == LITERAL:
        say(console, f"Write the question after it: {LITERAL} how does it scale?")
    elif text == "/papers":
        _show_papers(assistant, console, history)
    else:
        say(console, f"There is no command {text.split()[0]}; /help lists them.")


def _show_papers(assistant: Assistant, console: Console, history: list[Answer]) -> None:
    last = next((answer for answer in reversed(history) if answer.papers), None)
    if last is None:
        say(console, f"The index holds {sum(1 for _ in assistant.papers())} papers.")
        return
    for number, paper in enumerate(last.papers, 1):
        show_paper(console, number, paper)


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
    except OSError:  # a home that cannot be written to must not keep anyone from asking
        return PromptSession(history=InMemoryHistory()).prompt
    return PromptSession(history=FileHistory(str(file))).prompt
