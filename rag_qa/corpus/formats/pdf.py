"""PDFs, laid out by pdfminer.six: the title is the largest text on page one, the abstract follows the word "Abstract".

Best effort, and marked as such (`kind="pdf"`). Only the first two pages are read. If no abstract is found there, the
file is reported as unreadable, with what to do instead.
"""

import logging
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

from rag_qa.corpus.ids import normalise_arxiv_id
from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken

PAGES = 2
LEAST_TITLE = 8
LONGEST_TITLE = 300
LEAST_WORDS = 15
MOST_WORDS = 600
WAY_OUT = "export the paper as BibTeX or RIS (from Zotero, say), or save its abstract as a text file"
# A heading on its own line, or followed by the text: "Abstract—We …", but not "Abstract Syntax Notation".
_ABSTRACT = re.compile(
    r"(?:\d\.?\s*)?(?:abstract|summary|a\s?b\s?s\s?t\s?r\s?a\s?c\s?t)"
    r"(?:\s*[:.\u2014\u2013-]+\s*|\s*$|\s+(?=(?-i:We|This|The|In|An?|Recent|Despite|Many|Most|Background|Objectives?)\b))",
    re.IGNORECASE,
)
_END = re.compile(
    r"^(?:(?:\d+|I)\.?\s*)?(?:introduction\b|key\s?words|index terms|ccs concepts|categories and|acm reference"
    r"|general terms|contents$|background and)",
    re.IGNORECASE,
)
_STAMP = re.compile(r"arXiv:\s?\d{4}\.\d{4,5}")
# What pdfminer writes for a character that the file does not name.
_NAMELESS = re.compile(r"\(cid:\d+\)")
_LIGATURES = str.maketrans({"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"})


class Line(NamedTuple):
    """A line of text, its font size in points, and its page from 1."""

    text: str
    size: float
    page: int


def looks_like(raw: bytes) -> bool:
    """Return whether a file begins like a PDF."""
    return b"%PDF-" in raw[:1024]


def records(raw: bytes) -> Iterator[Fields | Broken]:
    """Yield the one paper of the file, or why it cannot be read."""
    lines = _lines(raw)
    yield lines if isinstance(lines, Broken) else _record(lines)


def _record(lines: list[Line]) -> Fields | Broken:
    if not lines:
        return Broken(f"a PDF without text, such as a scan: {WAY_OUT}")
    abstract = _abstract([line.text for line in lines])
    if len(abstract.split()) < LEAST_WORDS:
        return Broken(f"a PDF in which no abstract was found: {WAY_OUT}")
    stamp = next((line.text for line in lines if _STAMP.search(line.text)), "")
    return {
        "title": _title([line for line in lines if line.page == 1]),
        "abstract": abstract,
        "arxiv": normalise_arxiv_id(stamp),
        "kind": "pdf",
    }


def _lines(raw: bytes) -> list[Line] | Broken:
    """Return the lines of the first pages in reading order."""
    from pdfminer.high_level import extract_pages
    from pdfminer.layout import LTTextContainer, LTTextLine
    from pdfminer.pdfdocument import PDFPasswordIncorrect, PDFTextExtractionNotAllowed

    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
    found: list[Line] = []
    try:
        for number, page in enumerate(extract_pages(BytesIO(raw), maxpages=PAGES), 1):
            boxes = [box for box in page if isinstance(box, LTTextContainer)]
            lines = [line for box in boxes for line in box if isinstance(line, LTTextLine)]
            found += [Line(text, _size(line), number) for line in lines if (text := _text(line))]
    except (PDFPasswordIncorrect, PDFTextExtractionNotAllowed):
        return Broken(f"a PDF that is locked by a password: {WAY_OUT}")
    except Exception as exc:
        # pdfminer raises errors of many kinds on damaged files.
        return Broken(f"a PDF that can't be read ({type(exc).__name__}): {WAY_OUT}")
    return found


def _text(line: Any) -> str:
    return " ".join(_NAMELESS.sub("", line.get_text()).translate(_LIGATURES).split())


def _size(line: Any) -> float:
    """Return the median font size of a line, or 0 if the text is rotated."""
    sizes = sorted(round(letter.size, 1) for letter in line if getattr(letter, "upright", False))
    return sizes[len(sizes) // 2] if sizes else 0.0


def _title(lines: list[Line]) -> str:
    """Return the first run of lines in the largest font, or "" if all lines have one size."""
    written = [line for line in lines if len(line.text) >= LEAST_TITLE and not _STAMP.search(line.text)]
    largest = max((line.size for line in written), default=0.0)
    usual = sorted(line.size for line in written)[len(written) // 2] if written else 0.0
    if largest <= usual:
        return ""
    first = next(n for n, line in enumerate(lines) if line.size == largest and len(line.text) >= LEAST_TITLE)
    run = []
    for line in lines[first:]:
        if abs(line.size - largest) > 0.5:
            break
        run.append(line.text)
    return _join(run)[:LONGEST_TITLE]


def _abstract(lines: list[str]) -> str:
    """Return the text from the word "Abstract" to the introduction or the keywords."""
    start = next((n for n, line in enumerate(lines) if _ABSTRACT.match(line)), None)
    if start is None:
        return ""
    run = [_ABSTRACT.sub("", lines[start], count=1)]
    for line in lines[start + 1 :]:
        if _END.match(line) or sum(len(part.split()) for part in run) > MOST_WORDS:
            break
        if not _STAMP.search(line):
            run.append(line)
    return _join([line for line in run if line])


def _join(lines: list[str]) -> str:
    """Return lines as one text, with words hyphenated at line ends joined."""
    text = ""
    for line in lines:
        parted = text.endswith("-") and line[:1].islower()
        text = text[:-1] + line if parted else f"{text} {line}".lstrip()
    return text
