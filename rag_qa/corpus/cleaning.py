"""Text from anywhere → one clean line, safe to print and to quote.

What is taken away is only what cannot be seen or would act on a terminal; words, spelling and LaTeX stay as
they are, because quotes are verbatim.
"""

import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|$)"  # OSC and other strings, up to their terminator
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
    r"|\x9b[0-?]*[ -/]*[@-~]",  # CSI in one C1 byte
    re.DOTALL,
)
# Controls except white space; soft hyphens, zero-width and bidirectional marks, which hide or reorder text.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LABEL = re.compile(
    r"^\s*(?:abstract|summary)\s*(?:[:.]|-{1,3}|[\u2013\u2014])(?=\W*\w)(?<!-)\s*", re.IGNORECASE
)
_ABSENT = re.compile(
    r"^\W*(?:n/?a|none|null|nan|tbd|abstract|\[?no abstract(?: is)?(?: available)?\.?\]?|not available)?\W*$",
    re.IGNORECASE,
)

REPLACEMENT = "\ufffd"
SOUP_SHARE = 0.05
SOUP_LEAST = 3


def clean_text(text: str) -> str:
    """Return the text on one line, single-spaced, without escapes and invisible characters or surrogates."""
    if not (text.isascii() and text.isprintable()):
        text = _INVISIBLE.sub("", _ESCAPES.sub("", text))
        text = _SURROGATE.sub(REPLACEMENT, text)
    return " ".join(text.split())


def clean_abstract(text: str) -> str:
    """Return the abstract on one clean line without a leading "Abstract:" label; "" when there is none."""
    cleaned = clean_text(text)
    if cleaned[:1] in "aAsS":
        cleaned = _LABEL.sub("", cleaned, count=1)
    return "" if len(cleaned) < 40 and _ABSENT.match(cleaned) else cleaned


def is_soup(raw: str, cleaned: str) -> bool:
    """Say whether a text is bytes rather than words: no letter, or many controls or undecodable ones."""
    unreadable = len(_INVISIBLE.findall(raw)) + cleaned.count(REPLACEMENT) if not raw.isprintable() else 0
    return unreadable > max(SOUP_LEAST, SOUP_SHARE * len(raw)) or not re.search(r"[^\W\d_]", cleaned)
