"""Standard streams as they are: of narrow encodings, closed, or full."""

import codecs
import errno
import io
import json
import os
import re
import sys
import unicodedata

READABLE = "readable"
# What writing fails with where no program is to blame.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
# Signs that Unicode does not take apart itself.
_LIKE = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛′‹›", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "×": "x",
        "·": ".",
        "•": "*",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "≈": "~",
        "±": "+-",
        "→": "->",
        "←": "<-",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "ø": "o",
        "Ø": "O",
        "œ": "oe",
        "Œ": "OE",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "\u00ad": "",
        "\u200b": "",
        "\ufeff": "",
    }
)


def prepare_streams() -> None:
    """Let no narrow locale end an answer: what a stream cannot hold is written as plainly as can be."""
    codecs.register_error(READABLE, _readable)
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, READABLE), (sys.stderr, READABLE)):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def print_json(text: str) -> None:
    """Print a JSON text; where the stream cannot hold it, with its letters beyond ASCII escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = _NOT_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], text)
    print(text)


def flush_output() -> None:
    """Write what is still to be written, so that failing is noticed while it can be told."""
    if sys.stdout is not None:
        sys.stdout.flush()


def give_up_output() -> None:
    """Drop what standard output does not take any more, so that the end of the program does not fail with it."""
    try:
        flush_output()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _readable(error: UnicodeError) -> tuple[str, int]:
    """Return ASCII that looks or reads like the characters that cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    like = unicodedata.normalize("NFKD", character.translate(_LIKE)).translate(_LIKE)
    kept = "".join(c for c in like if c.isascii())
    if kept or not character.translate(_LIKE) or unicodedata.combining(character):
        return kept
    name = unicodedata.name(like[:1], "")
    return name.rsplit(" ", 1)[-1].lower() if name.startswith("GREEK SMALL LETTER") else "?"
