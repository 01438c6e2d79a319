"""Lines as they are typed: edited, completed and kept for the next time in a terminal, plain from a pipe."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from rag_qa.app.chat.completion import Completer
from rag_qa.app.chat.conversation import Conversation

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer as ToolkitCompleter
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

PROMPT, NEXT_LINE = "> ", "  "
GO_ON = "\\"
MENU_ROWS = 6


def is_typed() -> bool:
    """Return whether lines come from somebody at a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def typed_lines(chat: Conversation, *, keep: bool = True) -> Iterator[str]:
    """Yield what is typed, a text of several lines at once; `keep` keeps it for the arrow keys of the next time."""
    if not is_typed():
        yield from sys.stdin
        return
    ask = open_prompt(chat, keep=keep)
    while True:
        try:
            yield ask()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def open_prompt(chat: Conversation, *, keep: bool) -> Callable[[], str]:
    """Return a function that lets a text be typed, of one line or several, and returns it."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition

    session: PromptSession[str] = PromptSession(
        PROMPT,
        history=_history(keep),
        multiline=True,
        prompt_continuation=NEXT_LINE,
        key_bindings=_keys(),
        completer=_completer(Completer(chat)),
        complete_in_thread=True,
        complete_while_typing=Condition(lambda: get_app().current_buffer.text.startswith("/")),
        reserve_space_for_menu=MENU_ROWS,
    )
    return session.prompt


def _history(keep: bool) -> "History":
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    try:
        file = user_data_path("rag_qa", ensure_exists=True) / "chat_history" if keep else None
    except (
        OSError,
        RuntimeError,
    ):  # no home, or one that cannot be written to, must not keep anyone from asking
        file = None
    return FileHistory(str(file)) if file and _is_ours(file) else InMemoryHistory()


def _is_ours(file: Path) -> bool:
    """Return whether a file can be written, making it one that only its user reads where there is none."""
    try:
        file.touch(mode=0o600)
    except OSError:
        return False
    return True


def _keys() -> "KeyBindings":
    """Return what Enter does: it ends the text, but after a backslash, or after Esc, begins another line."""
    from prompt_toolkit.filters import completion_is_selected
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter", filter=~completion_is_selected)
    def end(event: "KeyPressEvent") -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith(GO_ON):
            buffer.delete_before_cursor(len(GO_ON))
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("enter", filter=completion_is_selected)
    def choose(event: "KeyPressEvent") -> None:
        event.current_buffer.complete_state = None

    @keys.add("escape", "enter")
    def another_line(event: "KeyPressEvent") -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _completer(completer: Completer) -> "ToolkitCompleter":
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.completion import Completer as ToolkitCompleter
    from prompt_toolkit.document import Document

    class Shown(ToolkitCompleter):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            for choice in completer.choices(document.text_before_cursor):
                yield Completion(choice.text, start_position=-choice.length, display_meta=choice.note)

    return Shown()
