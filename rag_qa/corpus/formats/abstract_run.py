"""Runs of "Abstract:" paragraphs without titles, even several glued together without a line break."""

import re
from collections.abc import Iterator

from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken

# A new record begins at a line's start, right after a sentence's end, or glued to a word ("workAbstract:We").
# "the field Abstract: …" inside a sentence is none.
_START = re.compile(
    r"(?:^|(?<=[.!?\u2026\"\u201d'\u2019)\]}$%])|(?<=[a-z0-9]))[^\S\n]*(?<![a-z0-9] )Abstract[^\S\n]*:",
    re.MULTILINE,
)


def looks_like(text: str) -> bool:
    """Say whether the first words of a text are "Abstract:"."""
    return bool(_START.match(text.lstrip()))


def holds_several(text: str) -> bool:
    """Say whether more than one abstract begins in a text."""
    return len(_START.findall(text)) > 1


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the abstracts; what stands before the first is none."""
    before, *abstracts = _START.split(text)
    if before.strip():
        yield Broken('text before the first "Abstract:"')
    for abstract in abstracts:
        yield {"abstract": abstract}
