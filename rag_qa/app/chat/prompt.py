"""Lines of input: from a terminal with editing, completion and history, or plain from a pipe."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from rag_qa.app.chat.completion import Completer
from rag_qa.app.chat.state import ChatState
from rag_qa.files import OWNER_FILE

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer as ToolkitCompleter
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

PROMPT, NEXT_LINE = "> ", "  "
GO_ON = "\\"
MENU_ROWS = 6


def is_typed() -> bool:
    """Return whether input and output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def typed_lines(chat: ChatState, *, keep: bool = True) -> Iterator[str]:
    """Yield the texts typed, each of one or more lines; `keep` saves them in the history of the arrow keys."""
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


def open_prompt(chat: ChatState, *, keep: bool) -> Callable[[], str]:
    """Return a function that reads one text, of one or more lines, from the terminal."""
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
    except (OSError, RuntimeError):  # without a home that can be written to, the history is not saved
        file = None
    return FileHistory(str(file)) if file and _is_ours(file) else InMemoryHistory()


def _is_ours(file: Path) -> bool:
    """Return whether a file can be written; create it if it is missing, readable by its user alone."""
    try:
        file.touch(mode=OWNER_FILE)
    except OSError:
        return False
    return True


def _keys() -> "KeyBindings":
    """Return the key bindings: Enter ends the text; after a backslash or Esc it begins another line."""
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

    class ShownChoices(ToolkitCompleter):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            for choice in completer.choices(document.text_before_cursor):
                yield Completion(choice.text, start_position=-choice.length, display_meta=choice.note)

    return ShownChoices()
