r"""BibTeX and biblatex, split into entries by bibtexparser; LaTeX is decoded by `latex`.

Values and names are read here, because bibtexparser 2.1 drops the values of an entry with a repeated field, leaves
`"A" # jc # { B}` unjoined, and damages names: `and \L{}ukasz` becomes "{}ukasz", `Mu\~{n}oz` becomes "Mu\ {n}oz", "Mug,
Jr." becomes "Jr. Mug", and an "and" without a name after it stays. An entry inherits missing fields from its crossref
parent. A block that does not parse is skipped alone.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from rag_qa.corpus.latex import decode_latex
from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.names import extended_name, is_suffix
from rag_qa.corpus.records import Broken

_ENTRY = re.compile(r"^[^\S\n]*\ufeff?@[A-Za-z]+[^\S\n]*[{(]", re.MULTILINE)
# Fields, which text between entries has only if an entry is damaged.
_INSIDE = re.compile(r"\b(?:abstract|title|author|booktitle|journal)\s*=\s*[{\"]", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_ESCAPED = re.compile(r"\{\\([_%&#$~^{}])\}|\\([_%&#$~^{}])")
_BLANKS = re.compile(r"\s*")
_BRACE = re.compile(r'\\.|[{}"]', re.DOTALL)
_MACRO = re.compile(r"\{\\[A-Za-z]+\s*\}|\\[A-Za-z]+(?:\s*\{\}|\b)")
_ET_AL = re.compile(r",?(?<!\s)\s++et\.?\s*+al\b\.?\s*$", re.IGNORECASE)
_URL_MACRO = re.compile(r"\\(?:url|href|path|nolinkurl)\b")
# Addresses and ids, in which LaTeX commands other than escapes are plain characters.
VERBATIM = ("doi", "url", "eprint", "pmid", "file")
# Fields that may be repeated with different contents.
REPEATED = ("abstract", "keywords", "note")
# Fields inherited from the crossref parent, whose title is the book title.
INHERITED = ("year", "date", "booktitle", "journal", "journaltitle", "eventtitle", "series", "publisher")
MOST_PARENTS = 4
# More signs @ than this are not read if they outnumber the fields: an entry has several fields.
MOST_BARE = 10_000
# The most characters of an @string, which is the name of a journal or a series.
LONGEST_STRING = 1000


def looks_like(text: str) -> bool:
    """Return whether an entry begins near the start of a text (comments may precede it)."""
    return bool(_ENTRY.search(text[:20_000]))


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the entries in order."""
    if text.count("@") > MOST_BARE and text.count("=") < text.count("@"):
        yield Broken("not BibTeX: over 10,000 entries, most of them without fields")
        return
    blocks = [_block_inside(block) for block in _split(text.replace("\ufeff", ""))]
    strings = _strings(blocks)
    entries = [_fields(block, strings) if _kind(block) == "Entry" else block for block in blocks]
    by_key = {entry["id"].casefold(): entry for entry in reversed(entries) if isinstance(entry, dict)}
    for entry in entries:
        if isinstance(entry, dict):
            yield _as_record(entry, by_key)
        elif hasattr(entry, "error"):
            yield _as_broken(entry)
        elif _kind(entry) == "ImplicitComment" and (why := _why_damaged(str(entry.comment))):
            yield Broken(f"{why} (line {(entry.start_line or 0) + 1})")


def _split(text: str) -> list[Any]:
    from bibtexparser.splitter import Splitter

    # bibtexparser also logs each failed block, which we report ourselves.
    logger = logging.getLogger("bibtexparser")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        return list(Splitter(text).split().blocks)
    except Exception as exc:
        # bibtexparser raises plain Python errors on hostile text.
        return [_Failed(exc)]
    finally:
        logger.setLevel(level)


class _Failed:
    """A text on which bibtexparser itself fails, in the shape of its failed blocks."""

    start_line = 0

    def __init__(self, error: Exception) -> None:
        self.error = error


def _kind(block: Any) -> str:
    return str(block.__class__.__name__)


def _why_damaged(comment: str) -> str | None:
    """Return what shows that text between entries belongs to a damaged one, or None."""
    if _INSIDE.search(comment):
        return "fields outside of any entry, whose beginning is damaged"
    if comment.count("}") > comment.count("{") and _LETTER.search(comment):
        return "text outside of any entry, of which a brace before it closes one too early"
    return None


def _block_inside(block: Any) -> Any:
    """Return the entry in a block that bibtexparser rejects for a repeated key or field (duplicates merge later)."""
    ignored = getattr(block, "ignore_error_block", None)
    return _block_inside(ignored) if ignored is not None else block


def _as_broken(block: Any) -> Broken:
    reason = " ".join(str(getattr(block.error, "abort_reason", block.error)).split())
    return Broken(f"not valid BibTeX (line {(block.start_line or 0) + 1}: {reason[:200]})")


def _strings(blocks: list[Any]) -> dict[str, str]:
    """Return the value of each @string; it may use the ones before it."""
    strings: dict[str, str] = {}
    for block in blocks:
        if _kind(block) == "String":
            # Strings made of strings may double at each step.
            value = read_value(str(block.value), strings)[:LONGEST_STRING]
            strings.setdefault(str(block.key).casefold(), value)
    return strings


def _fields(entry: Any, strings: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of an entry by field; of a repeated field a list if it is in REPEATED, else the first."""
    fields: dict[str, list[str]] = {}
    for field in entry.fields:
        value = read_value(str(field.value), strings)
        if value.strip():
            fields.setdefault(str(field.key).casefold(), []).append(value)
    values = {
        name: found if name in REPEATED and len(found) > 1 else found[0] for name, found in fields.items()
    }
    return {"id": str(entry.key), "entry type": str(entry.entry_type), **values}


def read_value(raw: str, strings: Mapping[str, str]) -> str:
    """Return a value without braces or quotation marks, its parts joined at "#" and its @strings resolved.

    >>> read_value('"Proc. of " # wool', {"wool": "Wool"})
    'Proc. of Wool'
    """
    parts, at = [], 0
    while at < len(raw):
        end = _end_of_part(raw, at)
        part = raw[at:end].strip()
        following = _blank_end(raw, end)
        if following < len(raw) and raw[following] != "#":
            return raw  # not a value of BibTeX
        parts.append(part[1:-1] if part[:1] in ("{", '"') else strings.get(part.casefold(), part))
        at = following + 1
    return "".join(parts)


def _blank_end(raw: str, at: int) -> int:
    """Return the offset of the first character from `at` on that is not white space."""
    match = _BLANKS.match(raw, at)
    return match.end() if match else at


def _end_of_part(raw: str, at: int) -> int:
    """Return the end of the part of a value that begins at `at`: braced or quoted text, a number or a name."""
    at = _blank_end(raw, at)
    quoted = raw[at : at + 1] == '"'
    if not quoted and raw[at : at + 1] != "{":
        end = raw.find("#", at)
        return end if end >= 0 else len(raw)
    depth = 0
    for match in _BRACE.finditer(raw, at):
        mark = match.group()
        depth += {"{": 1, "}": -1}.get(mark, 0)
        if depth == 0 and match.start() > at and mark == ('"' if quoted else "}"):
            return match.end()
    return len(raw)


def _as_record(entry: dict[str, Any], by_key: Mapping[str, dict[str, Any]]) -> Fields:
    fields = {**_inherited(entry, by_key), **entry}
    return {name: _decode(name, value) for name, value in fields.items()}


def _inherited(entry: Mapping[str, Any], by_key: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(MOST_PARENTS):
        key = entry.get("crossref") or entry.get("xdata")
        parent = by_key.get(key.strip().casefold()) if isinstance(key, str) else None
        if parent is None:
            return found
        own = {name: parent[name] for name in INHERITED if name in parent}
        found = {"booktitle": parent["title"], **own, **found} if "title" in parent else {**own, **found}
        entry = parent
    return found


def _decode(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(name, item) for item in value]
    if name in VERBATIM:
        return _verbatim(value)
    if name in ("author", "editor"):
        return _names(value)
    return value if name == "id" else decode_latex(value)


def _verbatim(value: str) -> str:
    """Return an address or an id with its escapes and macros as plain characters."""
    plain = _ESCAPED.sub(lambda match: match[1] or match[2], _URL_MACRO.sub("", value))
    return _MACRO.sub(lambda match: decode_latex(match.group()), plain).strip("{} ")


def _names(value: str) -> Any:
    """Return names as mappings that authors.py keeps unchanged; a list without any "and" as text."""
    names = split_names(_ET_AL.sub(" and others", value))
    if len(names) == 1 and (";" in value or len(_parts(value)) > 3):
        return decode_latex(value)
    return [{"literal": _given_first(name)} for name in names]


def split_names(value: str) -> list[str]:
    """Split names at " and " outside of braces.

    >>> split_names("Mug, Lou and {Knit and Purl}")
    ['Mug, Lou', '{Knit and Purl}']
    """
    names, depth, current = [], 0, ""
    for word in re.split(r"(\s+)", value):
        if word.casefold() == "and" and depth == 0:
            names.append(current)
            current = ""
        else:
            current += word
            depth += word.count("{") - word.count("}")
    return [name.strip() for name in [*names, current] if name.strip()]


def _parts(name: str) -> list[str]:
    """Split a name at commas outside of braces."""
    commas, depth = [-1], 0
    for n, c in enumerate(name):
        depth += {"{": 1, "}": -1}.get(c, 0)
        if c == "," and depth <= 0:
            commas.append(n)
    parts = [name[start + 1 : end] for start, end in pairwise([*commas, len(name)])]
    return [part for part in parts if part.strip()]


def _given_first(name: str) -> str:
    """Return "Family, Given" and "Family, Jr, Given" with the given name first; a braced name (a group) unchanged."""
    if extended := extended_name(name):
        return decode_latex(extended)
    parts = [decode_latex(part).strip() for part in _parts(name)]
    if len(parts) == 2 and not is_suffix(parts[1]):
        return f"{parts[1]} {parts[0]}"
    if len(parts) == 3:
        return f"{parts[2]} {parts[0]} {parts[1]}"
    return " ".join(parts)
