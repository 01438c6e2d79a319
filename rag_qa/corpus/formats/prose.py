"""Markdown and plain text with one abstract, or several under headings or labels ("Title: …", "Abstract: …").

Title, names and abstract are recognised by headings and labels, else by position: a short first paragraph is the title,
and running text the abstract. A long text without a heading "Abstract" is skipped, because any choice would be a guess.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from rag_qa.corpus.fields import NAMES, plain_name
from rag_qa.corpus.formats import abstract_run
from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken

MOST_CHARACTERS = 200_000
# The longest text that may be all abstract; abstracts of journals have up to 500 words.
MOST_WORDS = 800
LEAST_WORDS = 8
LEAST_WORDS_UNTITLED = 12
LONGEST_TITLE = 300
# A line with more asterisks and underscores is not emphasised text but a rule or a formula.
MOST_MARKS = 200
LONGEST_FRONT_MATTER = 20_000
# Editors wrap lines at fewer characters; a longer line is an unwrapped paragraph.
LONGEST_WRAPPED = 100
_ROLES = ("abstract", "title", "authors", "year", "venue", "url", "doi", "arxiv", "pmid")
_LABELS = frozenset(name for role in _ROLES for name in NAMES[role] if len(name) > 2 and "." not in name) - {
    "text"
}
_LABEL = re.compile(r"[*_\s>-]{0,6}([A-Za-z][A-Za-z ()]{1,24}?)[*_]{0,3}\s?:[*_]{0,3}(?:\s+(.*)|$)")
_HEADING = re.compile(r"#{1,6}\s+(.*[^\s#]|.)[\s#]*$|\*\*([^*]+)\*\*$")
_UNDERLINE = re.compile(r"(?:={3,}|-{3,})\s*$")
_ABSTRACT = re.compile(r"(?:[\dIVX]{1,3}\.?\s+)?(?:abstract|summary|a b s t r a c t)\s*[:.]?$", re.IGNORECASE)
# Headings and labels that end an abstract.
_END = re.compile(
    r"(?:[\dIVX]{1,3}\.?\s+)?(?:introduction|key ?words|index terms|references|bibliography|ccs concepts"
    r"|acknowledge?ments|notes|links|tags|contents)\s*(?::|$|\.$)",
    re.IGNORECASE,
)
_RECORD_STARTS = (
    re.compile(r"^(?=[*_\s-]{0,4}title[*_]{0,2}\s?:)", re.IGNORECASE | re.MULTILINE),
    re.compile(r"^(?=# )", re.MULTILINE),
)
_ABSTRACT_LINE = re.compile(
    r"^[#*_\s>-]{0,8}(?:abstract|summary)[*_]{0,2}\s*(?::|$)", re.IGNORECASE | re.MULTILINE
)
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f][\"'\u201d\u2019)\]*_]*$")
_CAPITAL = r"[^\W\d_a-z]"
_PARTICLE = "(?:van|von|der|den|de|del|la|le|di|da|bin|al)"
_NAME_WORD = rf"(?:{_PARTICLE}?{_CAPITAL}[\w.'\u2019-]*|{_PARTICLE})"
# Two to five words, or one with a capital inside ("MacDonald").
_NAME = re.compile(
    rf"(?:{_NAME_WORD}(?:\s+{_NAME_WORD}){{1,4}}|{_CAPITAL}[\w.'\u2019-]*{_CAPITAL}[\w.'\u2019-]*)\s*[\d*\u2020,]{{0,4}}"
)
_EMPHASIS = re.compile(r"(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_CODE = re.compile(r"[{};][^\S\n]*+$|^[^\S\n]*+(?:import|def|class|#include|from \w+ import)\b", re.MULTILINE)


class Piece(NamedTuple):
    """A part of a text. `kind` is "heading", "paragraph", "end" (ends an abstract), or a label's plain name."""

    kind: str
    text: str


def looks_like(text: str) -> bool:
    """Return whether a text has an abstract that can be recognised."""
    if len(text) > MOST_CHARACTERS or text.lstrip()[:1] in ("<", "%", "@", "\\") or "\0" in text:
        return False
    if text.count('","') > 1 or text.lstrip().partition("\n")[0].count("\t") > 1:
        return False  # a table with a damaged header
    return any(isinstance(record, dict) for record in records(text))


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the records of a text; if it has several, each begins at its title."""
    parts = [text]
    for start in _RECORD_STARTS:
        found = [part for part in start.split(text) if _ABSTRACT_LINE.search(part)]
        if len(found) > 1:
            parts = found
            break
    for part in parts:
        if abstract_run.holds_several(part):
            yield from abstract_run.records(part)
        else:
            yield _record(part.lstrip("\ufeff \n"))


def _record(text: str) -> Fields | Broken:
    fields, body = _front_matter(text)
    pieces = list(_pieces(body))
    for piece in pieces:
        if piece.kind in _LABELS:
            fields.setdefault(piece.kind, piece.text)
    marks = [n for n, piece in enumerate(pieces) if _marks_abstract(piece)]
    title = _title(pieces[: marks[0]] if marks else pieces, alone=bool(marks))
    fields.setdefault("title", title.text if title else "")
    rest = [piece for piece in pieces if piece is not title]
    names = next((piece.text for piece in rest if piece.kind == "paragraph" and _is_names(piece.text)), None)
    if names:
        fields.setdefault("authors", re.sub(r"^by\s+", "", names, flags=re.IGNORECASE))
    if "abstract" in fields and not marks:
        return fields
    if marks:
        first = pieces[marks[0]]
        own = [first.text] if first.kind == "abstract" else []
        return {**fields, "abstract": " ".join([*own, *_running(pieces[marks[0] + 1 :], least=1)])}
    return _unmarked(fields, rest, text)


def _unmarked(fields: dict[str, Any], pieces: list[Piece], text: str) -> Fields | Broken:
    """Return a record with all running text as its abstract, if that is plausible."""
    abstract = " ".join(_running(pieces, least=LEAST_WORDS))
    words = len(abstract.split())
    if words > MOST_WORDS or any(piece.kind == "heading" for piece in pieces):
        return Broken(
            f"a text of {len(text.split())} words in which nothing is marked as its abstract: put that under a line "
            "“Abstract”, or export the paper as BibTeX or RIS"
        )
    if words < (LEAST_WORDS if fields["title"] else LEAST_WORDS_UNTITLED) or _CODE.search(text):
        return Broken("no abstract: no running text under a title or under a line “Abstract”")
    return {**fields, "abstract": abstract}


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the fields of YAML front matter under plain names, and the text after it."""
    match = re.match(
        r"---[^\S\n]*\n(.*?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)", text[:LONGEST_FRONT_MATTER], re.DOTALL
    )
    if not match:
        return {}, text
    import yaml

    try:
        found = yaml.safe_load(match[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        found = None
    known = {plain_name(str(name)): value for name, value in found.items()} if isinstance(found, dict) else {}
    fields = {name: str(value) if isinstance(value, date) else value for name, value in known.items()}
    return {name: value for name, value in fields.items() if value and name in _LABELS}, text[match.end() :]


def _pieces(text: str) -> Iterator[Piece]:
    """Yield headings, labelled lines and paragraphs in order, without marks of emphasis."""
    blocks = [block.split("\n") for block in re.split(r"\n[^\S\n]*\n", text)]
    if len([block for block in blocks if any(line.strip() for line in block)]) == 1:
        blocks = _unwrapped(blocks)
    for lines in blocks:
        kind, held = "paragraph", list[str]()
        for n, line in enumerate(line.strip() for line in lines):
            heading, label = _HEADING.match(line), _LABEL.match(line)
            name = plain_name(label[1]) if label else ""
            underlined = n + 1 < len(lines) and bool(line) and bool(_UNDERLINE.match(lines[n + 1].strip()))
            ends = bool(_END.match(line.strip("#* ")))
            if heading or underlined or ends or _ABSTRACT.match(line) or name in _LABELS:
                if held:
                    yield Piece(kind, " ".join(held))
                kind, held = "paragraph", list[str]()
            if ends:
                yield Piece("end", line)
            elif heading or underlined or _ABSTRACT.match(line):
                yield Piece("heading", _plain((heading[1] or heading[2]) if heading else line))
            elif label and name in _LABELS:
                kind, held = name, [_plain(label[2] or "")]
            elif len(held) == 1 and kind == "paragraph" and _is_by_line(line):
                yield Piece(kind, held[0])
                held = [_plain(line)]
            elif line and not _UNDERLINE.match(line):
                held.append(_plain(line))
        if held:
            yield Piece(kind, " ".join(held).strip())


def _unwrapped(blocks: list[list[str]]) -> list[list[str]]:
    """Return the lines of a text without blank lines as paragraphs, if they are not wrapped."""
    lines = [line for block in blocks for line in block if line.strip()]
    whole = (
        len(lines) > 1
        and len(lines[-1]) > LONGEST_WRAPPED
        and not any(line.strip()[0].islower() for line in lines)
    )
    return [[line] for line in lines] if whole else blocks


def _plain(line: str) -> str:
    marks = line.count("*") + line.count("_")
    if marks > MOST_MARKS or not (line[:1] in "*_>" or "**" in line):
        return line
    return _EMPHASIS.sub(r"\2", line).lstrip("> ")


def _marks_abstract(piece: Piece) -> bool:
    return piece.kind == "abstract" or (
        piece.kind in ("heading", "paragraph") and bool(_ABSTRACT.match(piece.text))
    )


def _title(pieces: list[Piece], *, alone: bool) -> Piece | None:
    """Return the first heading, or else the first paragraph if it is short, not a sentence, and not the only one."""
    heading = next((piece for piece in pieces if piece.kind == "heading"), None)
    if heading:
        return heading
    paragraphs = [piece for piece in pieces if piece.kind == "paragraph"]
    if not paragraphs or (len(paragraphs) < 2 and not alone):
        return None
    first = paragraphs[0]
    return first if len(first.text) <= LONGEST_TITLE and not _is_running(first.text, LEAST_WORDS) else None


def _running(pieces: list[Piece], *, least: int) -> Iterator[str]:
    """Yield the paragraphs of running text up to a heading or label that ends an abstract."""
    for piece in pieces:
        if piece.kind != "paragraph":
            return
        if least == 1 or _is_running(piece.text, least):
            yield piece.text


def _is_running(text: str, least: int) -> bool:
    return len(text.split()) >= least and bool(_SENTENCE_END.search(text))


def _is_by_line(line: str) -> bool:
    """Return whether a line under a title is a list of names: it begins with "by" or has a separator."""
    return bool(re.match(r"by\s", line, re.IGNORECASE) or re.search(r",|;|\band\b|&", line)) and _is_names(
        line
    )


def _is_names(text: str) -> bool:
    """Return whether a paragraph is a list of names."""
    names = [
        name.strip() for name in re.split(r",|;|\band\b|&", re.sub(r"^by\s+", "", text, flags=re.IGNORECASE))
    ]
    held = [name for name in names if name and not name.isdigit()]
    return len(text) <= 1000 and bool(held) and all(_NAME.fullmatch(name) for name in held)
