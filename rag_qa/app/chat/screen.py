"""An answer in a terminal: words appear dim as the model writes them, until checked sentences stand for them."""

import math
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rag_qa.answering.writing.writer import statement
from rag_qa.app.progress import reading, with_spinner
from rag_qa.app.rendering import inert
from rag_qa.types import Event

DIM, PLAIN = "\x1b[2m", "\x1b[0m"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
ERASE_BELOW = "\x1b[J"
# So much of the end of a sentence finds it among the words written: the model may have been given its beginning.
FOUND_BY = 40


def can_draft(console: Console) -> bool:
    """Return whether what is printed can be taken away again: in a terminal that moves its cursor."""
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


def with_draft(events: Iterator[Event], console: Console, errors: Console) -> Generator[Event, None, None]:
    """Yield the events of an answer; meanwhile show the words that are not checked yet, or that it is working.

    Where the console is no terminal nothing is shown but, on a terminal for errors, a spinner.
    """
    if not can_draft(console):
        yield from with_spinner(events, errors)
        return
    written = ""
    with _quiet_keys(), errors.status("searching") as status, closing(Draft(console)) as draft:
        for event in events:
            if event.kind == "hits":
                status.update(reading(event.hits, errors.width))
            elif event.kind == "piece":
                status.stop()
                written += event.piece
                draft.show(written)
            else:
                status.stop()
                draft.close()
            yield event
            if event.sentence is not None:
                written = unchecked(written, event.sentence.text)
                if written:
                    draft.show(written)
                else:
                    status.update("checking")
                    status.start()


def unchecked(written: str, sentence: str) -> str:
    """Return what is left of the words written after a sentence that was checked, all where it is not among them."""
    words = inert(written)
    _, found, rest = words.partition(inert(statement(sentence))[-FOUND_BY:])
    return rest.strip() if found else words


class Draft:
    """Dim lines at the end of the screen that are taken away again."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._widths: list[int] = []

    def show(self, text: str) -> None:
        """Show a text instead of the one before, the end of it where the screen is too small; controls are struck."""
        lines = self._wrapped(text)
        self._write("".join([HIDE, self._erased(), DIM, "\r\n".join(lines), PLAIN, SHOW]))
        self._widths = [cell_len(line) for line in lines]

    def close(self) -> None:
        """Take the text away."""
        if self._widths:
            self._write(self._erased())
            self._widths = []

    def _wrapped(self, text: str) -> list[str]:
        # A line as wide as the screen would leave the cursor between two lines.
        wrapped = Text(inert(text)).wrap(self._console, max(1, self._console.width - 1))
        return [line.plain.rstrip() for line in wrapped[-max(1, self._console.height - 1) :]]

    def _erased(self) -> str:
        """Return what takes the text away. A line wider than the screen is now has been wrapped by the terminal."""
        width = max(1, self._console.width)
        rows = sum(max(1, math.ceil(cells / width)) for cells in self._widths)
        up = min(rows, self._console.height) - 1
        return "\r" + (f"\x1b[{up}A" if up > 0 else "") + ERASE_BELOW

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


@contextmanager
def _quiet_keys() -> Iterator[None]:
    """Let no key that is pressed meanwhile be echoed into the answer; what is typed waits for the prompt."""
    try:
        import termios

        before = termios.tcgetattr(sys.stdin)
    except (ImportError, OSError, ValueError, termios.error):
        yield
        return
    try:
        quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
        termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)
