"""XML exports: PubMed, OAI-PMH, JATS, MODS, EndNote, Europe PMC, Zotero's RDF and similar ones.

fields.py lists the elements that are records. Each becomes nested mappings under plain names, whose fields are found as
in JSON. Parsed by defusedxml, which refuses entity bombs and external references.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rag_qa.corpus.fields import XML_RECORDS, plain_name
from rag_qa.corpus.formats.atom import FORBIDDEN, parse_xml
from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NAME = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)[\s>/]")
# Elements of records, which a damaged document may have outside of them.
_INSIDE = re.compile(
    r"<(?:[\w.-]+:)?(?:abstract|abstracttext|summary|description|articletitle)\b", re.IGNORECASE
)
# Several documents in one file, as `cat` joins them.
_DOCUMENT = re.compile(r"\ufeff?<\?xml[^<>]*\?>")
DEEPEST = 40
# Elements whose content is running text, whatever elements are inside.
TEXTS = frozenset(
    "abstract articletitle abstracttext title summary description p style vernaculartitle".split()
)
INLINE = frozenset(
    "i b em strong sub sup italic bold sc u tt style span emph underline inlineformula a xref".split()
)
BLOCKS = frozenset("p sec title abstracttext listitem list label div br".split())
# Attributes that become part of an element's name: <ArticleId IdType="doi"> is "articleiddoi".
KINDS = frozenset(
    "idtype type pubidtype contribtype abstracttype identifiertype descriptiontype pubtype eidtype reftype".split()
)
LEFT_OUT = frozenset("copyrightinformation referencelist reflist body back".split())


def looks_like(text: str) -> bool:
    """Return whether a text is XML with an element that is a record near its beginning."""
    head = text.lstrip("\ufeff \t\r\n")[:20_000]
    return head.startswith("<") and any(plain_name(name) in XML_RECORDS for name in _NAME.findall(head))


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the records of each document in the text; of a damaged document, the records that are whole."""
    for document in _DOCUMENT.split(text):
        if document.strip():
            yield from _document(FORBIDDEN.sub("\ufffd", document))


def _document(text: str) -> Iterator[Fields | Broken]:
    root = parse_xml(text)
    if not isinstance(root, Broken):
        yield from (_as_record(element) for element in _find(root))
        return
    pieces = [] if "<!ENTITY" in text else _pieces(text)
    yield from pieces or [root]


def _pieces(text: str) -> list[Fields | Broken]:
    """Return the records of a damaged document: each record element, parsed alone, or why it does not parse."""
    name = next((name for name in _NAME.findall(text[:20_000]) if plain_name(name) in XML_RECORDS), None)
    if name is None:
        return []
    starts = [match.start() for match in re.finditer(rf"<(?:[\w.-]+:)?{re.escape(name)}[\s>]", text)]
    outside = Broken(f"part of a record outside of any <{name}>")
    found: list[Fields | Broken] = [outside] if _INSIDE.search(text[: starts[0]]) else []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        close = re.search(rf"</(?:[\w.-]+:)?{re.escape(name)}\s*>", text[start:end])
        # Prefixes may be declared at the root; without them the piece still parses.
        piece = (
            re.sub(r"(</?)[\w.-]+:|\s(?:[\w.-]+:)[\w.-]+=", r"\1 ", text[start : start + close.end()])
            if close
            else ""
        )
        element = parse_xml(piece.replace("< ", "<").replace("</ ", "</")) if piece else None
        if element is None:
            found.append(Broken(f"not valid XML (<{name}> is not closed)"))
        else:
            found.append(element if isinstance(element, Broken) else _as_record(element))
        if close and _INSIDE.search(text[start + close.end() : end]):
            found.append(outside)
    return found


def _local(element: "Element") -> str:
    tag = element.tag
    return plain_name(tag.rpartition("}")[2]) if isinstance(tag, str) else ""


def _find(root: "Element") -> Iterator["Element"]:
    """Yield the outermost elements that are records."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        # A wrapper may have the name of a record ("result" in Europe PMC's "resultList", JATS in an OAI "record").
        if _local(element) in XML_RECORDS and not _wraps(element):
            yield element
        else:
            waiting.extend(reversed(element))


def _wraps(element: "Element") -> bool:
    """Return whether an element only contains elements of its own name."""
    name = _local(element)
    return len(element) > 0 and all(_local(child) == name for child in element)


def _as_record(element: "Element") -> Fields:
    value = _value(element, 0)
    fields: dict[str, Any] = value if isinstance(value, dict) else {"text": value}
    inner = fields.get("metadata")
    if isinstance(inner, dict):
        # OAI-PMH: the actual record is the one element inside.
        for member in list(inner.values()):
            fields = {**fields, **member} if isinstance(member, dict) else fields
    if _local(element) == "pubmedarticle":
        fields = {**fields, "title": _pubmed_title(fields)}
    return fields


def _pubmed_title(fields: dict[str, Any]) -> str | None:
    """Return the title without the full stop that PubMed adds."""
    found: Any = fields
    for step in ("medlinecitation", "article", "articletitle"):
        found = found.get(step) if isinstance(found, dict) else None
    return found.rstrip().removesuffix(".") if isinstance(found, str) else None


def _value(element: "Element", depth: int) -> Any:
    """Return an element as text or, if it has child elements, as a mapping of plain names."""
    children = [child for child in element if _local(child)]
    mixed = any((child.tail or "").strip() for child in children) or (
        children and (element.text or "").strip()
    )
    if (
        _local(element) in TEXTS
        or mixed
        or depth > DEEPEST
        or all(_local(child) in INLINE for child in children)
    ):
        return _running_text(element)
    found: dict[str, Any] = {}
    for child in children:
        if _local(child) in LEFT_OUT:
            continue
        value = _value(child, depth + 1)
        for name in _names(child):
            if name not in found:
                found[name] = value
            elif isinstance(found[name], list):
                found[name].append(value)
            else:
                found[name] = [found[name], value]
    return found


def _names(element: "Element") -> list[str]:
    """Return the names of an element, with its kind: "articleiddoi", "contribauthor"."""
    kinds = [
        plain_name(value)
        for name, value in element.attrib.items()
        if plain_name(name.rpartition("}")[2]) in KINDS
    ]
    return [_local(element) + kind for kind in kinds] or [_local(element)]


def _running_text(element: "Element") -> str:
    """Return the text of an element; blocks are separated by spaces, and a heading ends in a colon."""
    parts: list[str] = []

    def walk(node: "Element", depth: int) -> None:
        name = _local(node)
        if name in LEFT_OUT or not name or depth > DEEPEST:
            return
        block = name in BLOCKS and depth > 0
        label = node.get("Label") or ""
        parts.append((" " if block else "") + (f"{label}: " if label and label != "UNLABELLED" else ""))
        parts.append(node.text or "")
        for child in node:
            walk(child, depth + 1)
            parts.append(child.tail or "")
        if block and name == "title" and (node.text or "").strip()[-1:] not in (":", ".", "?", "!", ""):
            parts.append(":")
        parts.append(" " if block else "")

    walk(element, 0)
    return "".join(parts).strip()
