"""An answer in a terminal: unchecked words appear dim as the model writes; checked sentences replace them."""

import math
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rag_qa.answering.writing.writer import statement
from rag_qa.app.printing import inert
from rag_qa.app.progress import reading, with_spinner
from rag_qa.types import Event

DIM, PLAIN = "\x1b[2m", "\x1b[0m"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
ERASE_BELOW = "\x1b[J"
# A sentence is found among the words written by its last characters: its beginning may not be the model's.
FOUND_BY = 40


def can_draft(console: Console) -> bool:
    """Return whether printed text can be erased again: in a terminal that moves its cursor."""
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


def with_draft(events: Iterator[Event], console: Console, errors: Console) -> Generator[Event, None, None]:
    """Yield the events of an answer; meanwhile show the words that are not checked yet, or a spinner.

    If the console is not a terminal, only a spinner is shown, on a terminal for errors.
    """
    if not can_draft(console):
        yield from with_spinner(events, errors)
        return
    written = ""
    with _quiet_keys(), errors.status("searching") as status, closing(DraftLines(console)) as draft:
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
    """Return the words written after a checked sentence; all words if it is not among them."""
    words = inert(written)
    _, found, rest = words.partition(inert(statement(sentence))[-FOUND_BY:])
    return rest.strip() if found else words


class DraftLines:
    """Dim lines at the end of the screen that are erased again."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._widths: list[int] = []

    def show(self, text: str) -> None:
        """Show a text instead of the previous one; only its end if the screen is too small. Controls are removed."""
        lines = self._wrapped(text)
        self._write("".join([HIDE, self._erased(), DIM, "\r\n".join(lines), PLAIN, SHOW]))
        self._widths = [cell_len(line) for line in lines]

    def close(self) -> None:
        """Erase the text."""
        if self._widths:
            self._write(self._erased())
            self._widths = []

    def _wrapped(self, text: str) -> list[str]:
        # A line as wide as the screen would leave the cursor between two lines.
        wrapped = Text(inert(text)).wrap(self._console, max(1, self._console.width - 1))
        return [line.plain.rstrip() for line in wrapped[-max(1, self._console.height - 1) :]]

    def _erased(self) -> str:
        """Return the codes that erase the text. The terminal has wrapped any line that is wider than the screen now."""
        width = max(1, self._console.width)
        rows = sum(max(1, math.ceil(cells / width)) for cells in self._widths)
        up = min(rows, self._console.height) - 1
        return "\r" + (f"\x1b[{up}A" if up > 0 else "") + ERASE_BELOW

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


@contextmanager
def _quiet_keys() -> Iterator[None]:
    """Do not echo keys pressed meanwhile into the answer; what is typed waits for the prompt."""
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
