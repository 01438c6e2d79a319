"""The loop of the chat: read a line, run a command or answer a question."""

from collections.abc import Iterator, Sequence

from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.chat.commands import LEAVE, obey
from rag_qa.app.chat.opening import Opener
from rag_qa.app.chat.prompt import typed_lines
from rag_qa.app.chat.session import SavedSession, Session, sessions_folder
from rag_qa.app.chat.sessions import say_resumed
from rag_qa.app.chat.state import ChatState
from rag_qa.app.printing import say
from rag_qa.errors import RagQAError
from rag_qa.types import EVERY_PAPER, Answer, Filter

GREETING = "Ask the papers. /help shows the commands."


def chat_with(
    assistant: Assistant,
    console: Console,
    lines: Iterator[str] | None = None,
    *,
    filter: Filter = EVERY_PAPER,
    literal: bool = False,
    turns: Sequence[Answer] = (),
    opener: Opener | None = None,
    session: Session | None = None,
    keep_lines: bool = True,
) -> None:
    """Chat until the lines end or /quit; lines come from the terminal unless given.

    With an `opener`, which then holds the assistant, style and model can be changed. Turns are saved in the session.
    """
    chat = ChatState(
        assistant, console, filter=filter, literal=literal, turns=turns, opener=opener, session=session
    )
    if lines is None:
        say(console, GREETING)
        lines = typed_lines(chat, keep=keep_lines)
    for line in lines:
        text = line.strip()
        if text.lower() in LEAVE:
            return
        if text:
            take_turn(chat, text)


def hold_chat(
    opener: Opener, saved: SavedSession | None, *, filter: Filter, literal: bool, history: bool
) -> None:
    """Chat in the terminal or a pipe; a saved conversation continues where it ended. `history`: save the turns.

    A filter that is given replaces that of the saved conversation.
    """
    console, folder = Console(), sessions_folder()
    if saved is not None:
        say_resumed(console, saved)
        filter = filter if filter.text else saved.filter
    session = None
    if history and folder is not None:
        name = saved.header.id if saved else None
        session = Session(folder, opener.index, warn=_warn, name=name)
    chat_with(
        opener.assistant,
        console,
        filter=filter,
        literal=literal or (saved is not None and saved.literal),
        turns=saved.turns if saved else (),
        opener=opener,
        session=session,
        keep_lines=history,
    )


def _warn(message: str) -> None:
    say(Console(stderr=True), f"rag-qa: {message}")


def take_turn(chat: ChatState, text: str) -> None:
    """Run a command or answer a question; our own errors and Ctrl-C end only this turn."""
    try:
        if text.startswith("/"):
            obey(chat, text)
        else:
            chat.ask(text)
    except RagQAError as exc:
        say(chat.console, str(exc))
    except KeyboardInterrupt:
        say(chat.console, "(stopped)")
    chat.console.print()
