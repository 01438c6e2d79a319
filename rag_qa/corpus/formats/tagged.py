"""Exports with a tag and a value on each line: RIS, MEDLINE (.nbib), Web of Science and EndNote.

fields.py lists the meaning of the tags. A line without a tag continues the value before it, and a repeated tag gives a
list. Files joined by `cat`, indented files, and other spaces and dashes are read too. No line with a tag is dropped: it
belongs to the current record or begins a new one.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from rag_qa.corpus.fields import ENDNOTE_TAGS, MEDLINE_TAGS, NAME_TAGS, RIS_KNOWN, RIS_TAGS, WOS_TAGS
from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken

SNIFFED = 20_000
# What may precede a tag on its line.
MARGIN = "[^\\S\\n]{0,40}\ufeff?[^\\S\\n]{0,40}"
# A line between records of at least this length may belong to a damaged record.
LEAST_LOST = 60
# Tags of dates and numbers: after a blank line, a line of that length does not continue them.
NUMBERS = frozenset("8 D DA DP DO EP IP IS LID PG PMID PY R SN SP UT VI VL Y1".split())
# The last line of a RIS record without its dash; "ER" before other lines is a word.
_BARE_END = re.compile(r"^ER[^\S\n]*$(?=\s*(?:\ufeff?TY[^\S\n]{0,4}-|\Z))", re.M)


class Dialect(NamedTuple):
    """The properties of one of these formats.

    `opening` matches the beginning of a record, `glued` a beginning in the middle of a line, and `line` splits a line
    into tag and value. `start` and `end` are the first and last tag of a record, `tags` maps tags to field names, and
    `known` holds all tags (None: any). For tags in `names` each further line is another name. Tags in `outside` belong
    to the file. The value of `stopped` has a full stop added by the database.
    """

    opening: re.Pattern[str]
    glued: re.Pattern[str]
    line: re.Pattern[str]
    start: str
    end: str = ""
    tags: Mapping[str, str] = {}
    known: frozenset[str] | None = None
    names: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    stopped: str = ""


RIS = Dialect(
    opening=re.compile(
        rf"^{MARGIN}TY(?:  - |[^\S\n]{{0,4}}[-\u2013\u2014][^\S\n]*[A-Z]{{2,8}}[^\S\n]*$)", re.M | re.I
    ),
    glued=re.compile(r"(?<=ER  -)[^\S\n]*(?=\ufeff?TY[^\S\n]{0,4}-)|(?<=ER -)[^\S\n]*(?=\ufeff?TY -)"),
    line=re.compile(
        rf"{MARGIN}(TY(?=-)|[A-Za-z][A-Za-z0-9](?=[^\S\n]))[^\S\n]{{0,4}}[-\u2013\u2014][^\S\n]?(.*)"
    ),
    start="TY",
    end="ER",
    tags=RIS_TAGS,
    known=RIS_KNOWN,
)
MEDLINE = Dialect(
    opening=re.compile(r"^[\s\ufeff]{0,4}PMID ?- ?\d", re.M),
    glued=re.compile(r"(?<=\S)\ufeff?(?=PMID- ?\d+ *\n(?:OWN|STAT|TI|DP) *-)"),
    line=re.compile(r"[\s\ufeff]{0,4}([A-Z][A-Z0-9]{1,3}) {0,2}- ?(.*)"),
    start="PMID",
    tags=MEDLINE_TAGS,
    stopped="TI",
)
WOS = Dialect(
    opening=re.compile(r"^\ufeff?(?:FN (?:Clarivate|Thomson|ISI)|PT [A-Z]\n(?:[A-Z][A-Z0-9] |   ))", re.M),
    glued=re.compile(r"(?<=^EF)\ufeff?(?=FN )", re.M),
    line=re.compile(r"\ufeff?([A-Z][A-Z0-9])(?: (.*)|[^\S\n]*$)"),
    start="PT",
    end="ER",
    tags=WOS_TAGS,
    names=NAME_TAGS,
    outside=frozenset(("FN", "VR", "EF")),
)
ENDNOTE = Dialect(
    opening=re.compile(rf"^{MARGIN}%(?:0 \w|[AT] .*\n(?:.*\n){{0,50}}?{MARGIN}%[ATJDX] )", re.M),
    glued=re.compile(r"(?<=[^\s%])\ufeff?(?=%0 (?:Journal|Conference|Book|Report|Thesis|Generic|Web))"),
    line=re.compile(rf"{MARGIN}%([0-9A-Z@!?*&$#(^><~\[+=])(?: (.*)|$)"),
    start="0",
    tags=ENDNOTE_TAGS,
)


def looks_like(dialect: Dialect) -> Callable[[str], bool]:
    """Return a function: does a record of a dialect begin near the start of a text?"""
    return lambda text: bool(dialect.opening.search(text[:SNIFFED]))


def records(dialect: Dialect) -> Callable[[str], Iterator[Fields | Broken]]:
    """Return a function that yields the records of a text in a dialect."""
    return partial(_records, dialect)


def _records(dialect: Dialect, text: str) -> Iterator[Fields | Broken]:
    """Yield the records. One begins at the start tag, or after a blank line at the first tag of the record before."""
    record: dict[str, list[list[str]]] = {}
    first = last = ""
    after_gap = False
    for tag, value in _lines(dialect, text):
        if not tag:
            stray = after_gap and last in NUMBERS and len(value) >= LEAST_LOST
            if record and value and not stray:
                _go_on(record[last], value, last in dialect.names)
            elif len(value) >= LEAST_LOST:
                yield Broken(f"text outside of any record ({value[:20]}…)")
            after_gap = after_gap or not value
            continue
        if record and (tag in (dialect.start, dialect.end) or (after_gap and tag == first)):
            yield _named(dialect, record)
            record = {}
        after_gap = False
        if tag == dialect.end or tag in dialect.outside:
            continue
        first = first if record else tag
        record.setdefault(tag, []).append([value])
        last = tag
    if record:
        yield _named(dialect, record)


def _lines(dialect: Dialect, text: str) -> Iterator[tuple[str, str]]:
    """Yield tag and value of each line; the tag is "" if a line has none.

    Lower-case tags count only if a record in the text begins with one.
    """
    folds = (
        bool(re.search(rf"^{MARGIN}{dialect.start.lower()}\s{{0,4}}-", text, re.M))
        if dialect.known
        else False
    )
    if dialect.known and dialect.end:
        text = _BARE_END.sub("ER  - ", text)
    for line in dialect.glued.sub("\n", text).split("\n"):
        match = dialect.line.match(line)
        tag = match[1] if match else ""
        if folds:
            tag = tag.upper()
        if match and (dialect.known is None or tag in dialect.known):
            yield tag, (match[2] or "").strip()
        else:
            yield "", line.strip()


def _go_on(values: list[list[str]], text: str, is_name: bool) -> None:
    if is_name:
        values.append([text])
    else:
        values[-1].append(text)


def _named(dialect: Dialect, record: Mapping[str, list[list[str]]]) -> Fields:
    values = {tag: [" ".join(lines) for lines in found] for tag, found in record.items()}
    if dialect.stopped in values:
        values[dialect.stopped] = [text.removesuffix(".") for text in values[dialect.stopped]]
    return {
        dialect.tags.get(tag, tag): texts[0] if len(texts) == 1 else texts for tag, texts in values.items()
    }
