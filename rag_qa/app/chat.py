"""The chat REPL: read a line, stream the answer, remember the turn."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.rendering import Marks, describe, show_sentence, show_sources
from rag_qa.errors import RagQAError
from rag_qa.types import Answer

HELP = """\
Ask a question about the papers, then ask on: "and the second one?", "what do they have in common?".
  /papers   the papers of the last answer (or how many the index holds)
  /help     this
  /quit     leave (Ctrl-D does too); Ctrl-C stops an answer"""


def chat_with(assistant: Assistant, console: Console, lines: Iterator[str] | None = None) -> None:
    """Hold a conversation until the lines end or /quit; lines come from the terminal unless given."""
    history: list[Answer] = []
    if lines is None:
        console.print("Ask the papers. /help shows the commands.", highlight=False)
        lines = _typed_lines()
    for line in lines:
        text = line.strip()
        if text in ("/quit", "/exit"):
            return
        if text:
            _turn(assistant, console, text, history)


def _turn(assistant: Assistant, console: Console, text: str, history: list[Answer]) -> None:
    """Obey a command, or answer a question and remember it; told errors and Ctrl-C end the turn only."""
    try:
        if text.startswith("/"):
            _command(assistant, console, text, history)
        else:
            history.append(_answer(assistant, console, text, history))
    except RagQAError as exc:
        console.print(str(exc), markup=False, highlight=False)
    except KeyboardInterrupt:
        console.print("(stopped)", highlight=False)
    console.print()


def _answer(assistant: Assistant, console: Console, question: str, history: list[Answer]) -> Answer:
    marks = Marks()
    for event in assistant.stream(question, history=history):
        if event.sentence is not None:
            show_sentence(console, event.sentence, marks)
        if event.answer is not None:
            show_sources(console, event.answer)
            return event.answer
    raise AssertionError("a stream ends in an answer")


def _command(assistant: Assistant, console: Console, text: str, history: list[Answer]) -> None:
    if text == "/help":
        console.print(HELP, markup=False, highlight=False)
    elif text == "/papers":
        _show_papers(assistant, console, history)
    else:
        console.print(
            f"There is no command {text.split()[0]}; /help lists them.", markup=False, highlight=False
        )


def _show_papers(assistant: Assistant, console: Console, history: list[Answer]) -> None:
    last = next((answer for answer in reversed(history) if answer.papers), None)
    if last is None:
        console.print(f"The index holds {sum(1 for _ in assistant.papers())} papers.", highlight=False)
        return
    for number, paper in enumerate(last.papers, 1):
        console.print(f"{number}. ", end="", highlight=False)
        console.print(describe(paper), highlight=False)


def _typed_lines() -> Iterator[str]:
    """Yield what is typed; with line editing and a history file in a terminal, plain lines from a pipe."""
    if not sys.stdin.isatty():
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
    from prompt_toolkit.history import FileHistory

    file: Path = user_data_path("rag_qa", ensure_exists=True) / "chat_history"
    return PromptSession(history=FileHistory(str(file))).prompt
