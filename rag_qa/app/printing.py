"""Text on a screen: foreign text is printed as it is, without what would act on the terminal."""

from rich.console import Console
from rich.text import Text

from rag_qa.corpus.cleaning import clean_text

# C0 but the newline, DEL, C1 and what changes the direction of text: they would act on the terminal.
_ACTING = [c for c in range(0xA0) if (c < 0x20 and c != 0x0A) or c >= 0x7F]
_ACTING += [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
CONTROLS = dict.fromkeys(_ACTING)
# One for one, so that the styles of a line keep their positions.
_STRUCK = dict.fromkeys(_ACTING, "\ufffd")
_ESCAPED = {c: f"\\u{c:04x}" for c in _ACTING}


def say(console: Console, message: str) -> None:
    """Print a message that may hold foreign text, such as a path: no markup is read, no control character kept.

    Lines are not wrapped, so that a command in them can be copied from a narrow terminal.
    """
    console.print(Text(message.translate(CONTROLS)), highlight=False, soft_wrap=True)


def print_text(console: Console, line: Text) -> None:
    """Print styled text without reading markup or highlighting; control characters are replaced."""
    line.plain = line.plain.translate(_STRUCK)
    console.print(line, highlight=False, soft_wrap=not console.is_terminal)


def inert(text: str) -> str:
    """Return a text on one line, without the control characters that would act on a terminal."""
    return " ".join(text.translate(CONTROLS).split())


def safe_json(text: str) -> str:
    """Return a JSON text with those control characters escaped that JSON allows as they are: DEL, C1 and the like.

    >>> safe_json('"a\\x7fb"')
    '"a\\\\u007fb"'
    """
    return text.translate(_ESCAPED)


def say_line(console: Console, line: str, *, mark: str = "") -> None:
    """Print a mark and a message on one line, whatever the foreign text in it holds."""
    say(console, f"{mark}{clean_text(line)}")
