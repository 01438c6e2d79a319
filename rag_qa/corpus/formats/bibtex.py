"""BibTeX, parsed by bibtexparser; its LaTeX is decoded by `latex`.

A block that does not parse, or a key that stands twice, costs that block only.
"""

import logging
import re
from collections.abc import Iterator
from typing import Any

from rag_qa.corpus.latex import decode_latex
from rag_qa.corpus.names import flip_name
from rag_qa.corpus.records import Broken, Fields

_ENTRY = re.compile(r"^[^\S\n]*@[A-Za-z]+[^\S\n]*[{(]", re.MULTILINE)


def looks_like(text: str) -> bool:
    """Say whether an entry stands near the beginning of a text (comments may precede it)."""
    return bool(_ENTRY.search(text[:20_000]))


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the entries in their order."""
    for block in _parse(text):
        if block.__class__.__name__ == "Entry":
            yield _as_record(block)
        elif hasattr(block, "error"):
            yield _as_broken(block)


def _parse(text: str) -> list[Any]:
    from bibtexparser.entrypoint import parse_string

    # It also logs each failed block, which the reader reports itself.
    logger = logging.getLogger("bibtexparser")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        return list(parse_string(text).blocks)
    except Exception as exc:
        # Its splitter runs into plain Python errors on hostile text.
        return [_Failed(exc)]
    finally:
        logger.setLevel(level)


class _Failed:
    """A text on which the parser itself fails, in the shape of its failed blocks."""

    start_line = 0

    def __init__(self, error: Exception) -> None:
        self.error = error


def _as_broken(block: Any) -> Fields | Broken:
    """Return a repeated key as the entry that it is (duplicates merge later), anything else as broken."""
    ignored = getattr(block, "ignore_error_block", None)
    if ignored is not None and ignored.__class__.__name__ == "Entry":
        return _as_record(ignored)
    reason = " ".join(str(getattr(block.error, "abort_reason", block.error)).split())
    return Broken(f"not valid BibTeX (line {(block.start_line or 0) + 1}: {reason[:200]})")


def _as_record(entry: Any) -> Fields:
    fields = {field.key.casefold(): str(field.value) for field in entry.fields}
    fields = {name: value for name, value in fields.items() if value.strip()}
    record: dict[str, Any] = {
        name: value if name in ("doi", "url", "eprint") else decode_latex(value)
        for name, value in fields.items()
    }
    for name in ("author", "editor"):
        if name in fields:
            record[name] = [decode_latex(part) for part in split_names(fields[name])]
    return {"id": entry.key, **record}


def split_names(value: str) -> list[str]:
    """Split names at " and " outside braces; "Family, Given" is turned, a braced name (a group) is not."""
    names, depth, current = [], 0, ""
    for word in re.split(r"(\s+)", value):
        if word == "and" and depth == 0:
            names.append(current)
            current = ""
        else:
            current += word
            depth += word.count("{") - word.count("}")
    return [_turn(name.strip()) for name in [*names, current] if name.strip()]


def _turn(name: str) -> str:
    whole = name.startswith("{") and name.endswith("}") and name.count("{") == 1
    return name if whole or not re.search(r",(?![^{]*})", name) else flip_name(name)
