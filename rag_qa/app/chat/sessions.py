"""`rag-qa chat --sessions` and `--resume`: the list of saved conversations, and the summary of one."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from rag_qa.app.chat.session import (
    LAST,
    SUFFIX,
    SavedSession,
    find_session,
    index_path,
    read_session,
    saved_sessions,
    sessions_folder,
)
from rag_qa.app.printing import inert, print_text, say
from rag_qa.app.rendering import show_answer
from rag_qa.errors import SessionError

SHOWN_QUESTION = 60


def list_sessions(console: Console, index: Path) -> None:
    """Print the saved sessions, the last one first: when, how many questions, the first question."""
    folder = sessions_folder()
    names = saved_sessions(folder)
    if not names or folder is None:
        say(console, "No conversation is saved yet; `rag-qa chat` begins one.")
        return
    for name in names:
        print_text(console, _describe(folder / f"{name}{SUFFIX}", index_path(index)))
    say(console, f"Continue with `rag-qa chat --resume {names[0]}`; they are files in {folder}.")


def _describe(path: Path, index: str) -> Text:
    line = Text(path.stem, style="cyan")
    try:
        saved = read_session(path)
    except SessionError as exc:
        return line.append(f"  {exc}", style="yellow")
    line.append(f"  {_questions(saved)}", style="default")
    if saved.turns:
        question = inert(saved.turns[0].question)
        line.append(
            f": {question[:SHOWN_QUESTION]}{'…' if len(question) > SHOWN_QUESTION else ''}", style="default"
        )
    return (
        line if saved.header.index == index else line.append(f"  (--index {saved.header.index})", style="dim")
    )


def resumed(name: str | None, *, resume: bool, index: Path) -> SavedSession | None:
    """Return the session to continue, None for a new conversation. Raises SessionError if there is no such session."""
    if name is not None and not resume:
        raise SessionError(
            f"{name!r} is not an option of chat; to continue a session: rag-qa chat --resume {name}"
        )
    return find_session(name or LAST, index, sessions_folder()) if resume else None


def say_resumed(console: Console, saved: SavedSession) -> None:
    """Print a summary of a resumed conversation: its options, and the last question with its answer."""
    if saved.damaged:
        say(console, "The last line of the session was damaged and was removed.")
    say(console, f"Session {saved.header.id} continues after {_questions(saved)}.")
    if saved.filter.text:
        say(console, f"Only papers {saved.filter.text}.")
    if saved.literal:
        say(console, "Questions are taken literally.")
    if saved.turns:
        say(console, f"\n> {saved.turns[-1].question}")
        show_answer(console, saved.turns[-1])
    console.print()


def _questions(saved: SavedSession) -> str:
    return "1 question" if len(saved.turns) == 1 else f"{len(saved.turns)} questions"
