"""Standard streams that have a narrow encoding, are closed, or write to a full disk."""

import codecs
import errno
import io
import json
import os
import re
import sys
import unicodedata

READABLE = "readable"
# Errors of writing that are no bug: a full or read-only disk, a quota, a broken device.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
# Characters for which Unicode has no decomposition into ASCII.
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
    """Replace characters that a stream cannot encode by similar ASCII, instead of failing."""
    codecs.register_error(READABLE, _readable)
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, READABLE), (sys.stderr, READABLE)):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def print_json(text: str) -> None:
    """Print a JSON text; if the stream cannot encode it, with all characters beyond ASCII escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = _NOT_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], text)
    print(text)


def flush_output() -> None:
    """Write out what is buffered, so that an error is raised while it can still be reported."""
    if sys.stdout is not None:
        sys.stdout.flush()


def give_up_output() -> None:
    """Drop what standard output no longer accepts, so that the program does not fail again when it exits."""
    try:
        flush_output()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _readable(error: UnicodeError) -> tuple[str, int]:
    """Return ASCII that looks like the characters that cannot be encoded, or names them."""
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
