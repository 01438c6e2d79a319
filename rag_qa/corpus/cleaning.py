"""Text of any source → one clean line, safe to print and to quote.

Markup is replaced by its text. Besides, only invisible characters and terminal escapes are removed: words, spelling and
LaTeX stay, in composed Unicode (NFC), because quotes are verbatim.
"""

import re
import unicodedata

from rag_qa.corpus.markup import strip_markup
from rag_qa.corpus.placeholders import LONGEST_NOTICE, LONGEST_PLACEHOLDER, is_placeholder
from rag_qa.text.body import body_span

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|$)"  # OSC and other strings, up to their terminator
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
    r"|\x9b[0-?]*[ -/]*[@-~]",  # CSI in one C1 byte
    re.DOTALL,
)
# Controls except white space; soft hyphens, zero-width and bidirectional marks, which hide or reorder text;
# and the noncharacters that Unicode reserves for use inside a program.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffb]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LETTER = re.compile(r"[^\W\d_]")
_OPENS = r"""(?:We|The|This|These|Th(?:ere|us|ose)|In|An?|Our|Here|To|Recent(?:ly)?|It|Many|Most|Given|For|From
    |While|With|Although|Despite
    |Several|Some|Since|As|At|By|On|One|Two|Both|However|If|Inspired|Motivated|Modern|Existing|Current|Traditional|Large|Deep|Machine
    |Using|Under|Understanding|Over|Among|Because|Through|What|When|Where|Whether|How|Who|Why|Background|Objectives?|Aims?|Introduction
    |Context|Methods?|Importance|Summary|Motivation|Problem|Design|Results|Rationale|Question|Hypothesis|Setting|Purpose|Goal|Significance
    |Premise|Scope|Study|Conclusions?)\b"""
_HEADINGS = (
    "abstract|summary|résumé|resumen|resumo|riassunto|zusammenfassung|аннотация|реферат|резюме"
    "|摘\\s?要|要旨|抄録|초록"
)
# "Abstract: We knit", "Abstract We knit", "AbstractWe knit", and a line of its own.
_LABEL = re.compile(
    rf"""^\W{{0,4}}(?:(?:{_HEADINGS})
        (?:\W{{0,3}}[^\S\n]*\n|\s*[:.：】\])*]{{1,3}}|\s*(?:-{{1,3}}|[\u2013\u2014])(?=\W*+\w)(?<!-)|\s+-\s++(?=[^\W\d_]))
    |(?-i:Abstract|ABSTRACT|Summary|SUMMARY)\s*(?=(?-i:{_OPENS})))\s*+(?=\W*+\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_LABEL_BEGINS = frozenset('aAsSrRzZаАрР摘要抄초[(【*<"“')

REPLACEMENT = "\ufffd"
SOUP_SHARE = 0.05
SOUP_LEAST = 3


# Letters of Latin-1 are at most a seventh of a text in any language; a text in the wrong encoding is full of them.
LATIN_SHARE = 0.3
LATIN_LEAST = 10
_LATIN = re.compile(
    "[\u0080-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
)


def clean_text(text: str) -> str:
    """Return the text on one line, single-spaced, without escapes, invisible characters and surrogates."""
    # The space is the only printable white space, and nothing printable is an escape or invisible.
    if text.isprintable() and "  " not in text:
        return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip()
    line = " ".join(text.split())
    if not line.isprintable():
        text = _SURROGATE.sub(REPLACEMENT, _INVISIBLE.sub("", _ESCAPES.sub("", text)))
        return " ".join(unicodedata.normalize("NFC", text).split())
    return line if line.isascii() else unicodedata.normalize("NFC", line)


def clean_field(text: str) -> str:
    """Return a title, venue or name on one clean line, with markup and entities as text."""
    return clean_text(strip_markup(text))


def without_codes(text: str) -> str:
    """Return a text without escapes, with markup and entities as text; line ends stay, for lists of names."""
    return strip_markup(_ESCAPES.sub("", text) if not text.isprintable() else text)


def clean_abstract(text: str) -> str:
    """Return the abstract on one clean line without a leading "Abstract:" label; "" if it is a placeholder."""
    text = strip_markup(text).lstrip()
    if text[:1] in _LABEL_BEGINS:
        text = _LABEL.sub("", text, count=1)
    cleaned = clean_text(text)
    if len(cleaned) > LONGEST_PLACEHOLDER:
        return cleaned
    only_rights = len(cleaned) <= LONGEST_NOTICE and body_span(cleaned) == (0, 0)
    return "" if only_rights or is_placeholder(cleaned) else cleaned


def is_soup(raw: str, cleaned: str) -> bool:
    """Return whether a text is garbled: without letters, or full of control, undecodable or misread characters.

    Args:
        raw: the text before cleaning.
        cleaned: the same text after `clean_abstract`.
    """
    plain = cleaned.isascii()
    unreadable = len(_INVISIBLE.findall(raw)) if raw != cleaned and not raw.isprintable() else 0
    unreadable += 0 if plain else cleaned.count(REPLACEMENT)
    if unreadable > max(SOUP_LEAST, SOUP_SHARE * len(raw)) or not _LETTER.search(cleaned):
        return True
    if plain:
        return False
    return len(_LATIN.findall(cleaned)) > max(LATIN_LEAST, LATIN_SHARE * len(cleaned.replace(" ", "")))
