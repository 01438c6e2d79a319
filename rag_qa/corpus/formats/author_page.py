"""Author-page listings, as pasted from AITopics: title, source and abstract under "Collaborating Authors".

    Collaborating Authors

     Family, Given


    Title

    Source

    Abstract


    Next title …

Blocks are separated by two or more blank lines. If pasting lost these, every three paragraphs are a block.
"""

import re
from collections.abc import Iterator

from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.names import flip_name
from rag_qa.corpus.records import Broken

HEADING = "Collaborating Authors"
_HEADER = re.compile(rf"^[^\S\n]*{HEADING}[^\S\n]*$", re.MULTILINE)
_GOTO = re.compile(r"^[^\S\n]*Goto[^\S\n]*$", re.MULTILINE)
# Shorter text above the list is the site's own; a longer one may be a lost abstract.
LEAST_LOST = 60
_BLOCK_GAP = re.compile(r"\n(?:[^\S\n]*\n){2,}")


def looks_like(text: str) -> bool:
    """Return whether a text has the heading of an author page."""
    return HEADING in text and bool(_HEADER.search(text))


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the papers of every page in the text, each with the author of its page."""
    before, *pages = _HEADER.split(_GOTO.sub("", text))
    if any(len(paragraph) >= LEAST_LOST for paragraph in _paragraphs(before)):
        yield Broken('text before the first heading "Collaborating Authors"')
    for page in pages:
        lines = page.strip("\n").split("\n")
        author = flip_name(lines[0].strip())
        for block in _blocks("\n".join(lines[1:])):
            yield _record(block, author)


def _blocks(body: str) -> list[list[str]]:
    """Return the paragraphs of each block."""
    blocks = [_paragraphs(block) for block in _BLOCK_GAP.split(body.strip("\n")) if block.strip()]
    if len(blocks) == 1 and len(blocks[0]) > 3 and len(blocks[0]) % 3 == 0:
        only = blocks[0]
        return [only[n : n + 3] for n in range(0, len(only), 3)]
    return blocks


def _paragraphs(block: str) -> list[str]:
    return [line.strip() for line in block.split("\n") if line.strip()]


def _record(paragraphs: list[str], author: str) -> Fields | Broken:
    if len(paragraphs) < 3:
        return Broken("no abstract: expected a title, a source and an abstract")
    title, venue, *abstract = paragraphs
    return {"title": title, "venue": venue, "abstract": " ".join(abstract), "authors": [author]}
