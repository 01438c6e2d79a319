"""Text of papers and models → one line that is safe to print: no control characters, no hidden or reordered text."""

import re

# Characters that HTML and XML forbid, terminals obey, or editors hide.
_ACTING = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff]"
)


def one_line(text: str) -> str:
    """Return the text on one line, single-spaced, without control, invisible and direction characters."""
    return " ".join(_ACTING.sub("", text).split())
