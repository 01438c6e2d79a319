"""Several "Abstract:" paragraphs without titles, also if they are joined without a line break."""

import re
from collections.abc import Iterator

from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken

# A record begins at the start of a line, right after a sentence, or glued to a word ("workAbstract:We"), but not inside
# a sentence ("the field Abstract: …").
_START = re.compile(
    r"(?:^|(?<=[.!?\u2026\"\u201d'\u2019)\]}$%])|(?<=[a-z0-9]))[^\S\n]*(?<![a-z0-9] )Abstract[^\S\n]*:",
    re.MULTILINE,
)


def looks_like(text: str) -> bool:
    """Return whether a text begins with "Abstract:"."""
    return bool(_START.match(text.lstrip()))


def holds_several(text: str) -> bool:
    """Return whether more than one abstract begins in a text."""
    return len(_START.findall(text)) > 1


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the abstracts; text before the first is reported as broken."""
    before, *abstracts = _START.split(text)
    if before.strip():
        yield Broken('text before the first "Abstract:"')
    for abstract in abstracts:
        yield {"abstract": abstract}
