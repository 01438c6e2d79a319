"""Atom feeds of the arXiv API, parsed by defusedxml, which refuses entity bombs and external references."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from rag_qa.corpus.ids import arxiv_form, normalise_arxiv_id
from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ATOM = "{http://www.w3.org/2005/Atom}"
ARXIV = "{http://arxiv.org/schemas/atom}"
_ENTRY = re.compile(r"<(?:\w+:)?entry\b")
_END = re.compile(r"</(?:\w+:)?entry\s*>")
# An element of entries, which a damaged feed may have outside of them.
_INSIDE = re.compile(r"<(?:\w+:)?summary\b")
_FEED = re.compile(r"<(?:\w+:)?(?:feed|entry)\b[^>]*http://www\.w3\.org/2005/Atom")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# Characters that XML forbids, even as references.
FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def looks_like(text: str) -> bool:
    """Return whether a text is an Atom feed."""
    return bool(_FEED.search(text[:20_000]))


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the entries; if the feed does not parse, the entries that parse alone."""
    clean = FORBIDDEN.sub("\ufffd", _DECLARATION.sub("", text))
    feed = parse_xml(clean)
    if not isinstance(feed, Broken):
        entries = [feed] if feed.tag == f"{ATOM}entry" else feed.findall(f"{ATOM}entry")
        yield from map(_as_record, entries)
        return
    starts = [match.start() for match in _ENTRY.finditer(clean)]
    if not starts or "<!ENTITY" in clean:
        yield feed
        return
    if _INSIDE.search(clean[: starts[0]]):
        yield Broken("an entry that does not begin with <entry>")
    for start, end in pairwise([*starts, len(clean)]):
        yield from _pieces(clean[start:end])


def _pieces(text: str) -> Iterator[Fields | Broken]:
    """Yield the entry at the start of a part of a damaged feed, and report another one after it as broken."""
    end = _END.search(text)
    if end is None:
        yield Broken("an entry that is not closed by </entry>")
        return
    wrapped = parse_xml(f'<feed xmlns="{ATOM[1:-1]}" xmlns:arxiv="{ARXIV[1:-1]}">{text[: end.end()]}</feed>')
    yield wrapped if isinstance(wrapped, Broken) else _as_record(wrapped[0])
    if _INSIDE.search(text, end.end()):
        yield Broken("an entry that does not begin with <entry>")


def parse_xml(text: str) -> "Element | Broken":
    """Return the root of an XML text, or why it does not parse; entities and external references are refused."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError) as exc:
        return Broken(f"not valid XML ({exc})")
    return root


def _as_record(entry: "Element") -> Fields:
    location = _text(entry, f"{ATOM}id") or ""
    arxiv_id = normalise_arxiv_id(location)
    return {
        "id": arxiv_form(arxiv_id) if arxiv_id else location,
        "arxiv": arxiv_id,
        "title": _text(entry, f"{ATOM}title"),
        "abstract": _text(entry, f"{ATOM}summary"),
        "authors": [
            name for author in entry.findall(f"{ATOM}author") if (name := _text(author, f"{ATOM}name"))
        ],
        "published": _text(entry, f"{ATOM}published") or _text(entry, f"{ATOM}updated"),
        "venue": _text(entry, f"{ARXIV}journal_ref"),
        "doi": _text(entry, f"{ARXIV}doi"),
        "url": f"https://arxiv.org/abs/{arxiv_id}" if arxiv_id else location,
    }


def _text(element: "Element", tag: str) -> str | None:
    found = element.find(tag)
    return "".join(found.itertext()) if found is not None else None
