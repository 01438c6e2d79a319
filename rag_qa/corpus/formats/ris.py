"""RIS, as reference managers export it, parsed by rispy."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rag_qa.corpus.records import Broken, Fields

_TAG = re.compile(r"^[A-Z][A-Z0-9]  - ?", re.MULTILINE)
_RECORD = re.compile(r"^TY  - ", re.MULTILINE)


def looks_like(text: str) -> bool:
    """Say whether a record's first tag stands near the beginning of a text."""
    return bool(_RECORD.search(text[:20_000]))


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the records; each is parsed on its own, so that a broken one costs no other."""
    starts = [match.start() for match in _RECORD.finditer(text)]
    for start, end in pairwise([*starts, len(text)]):
        yield _parse(text[start:end])


def _parse(text: str) -> Fields | Broken:
    import rispy  # type: ignore[import-untyped]

    if not re.search(r"^ER  -", text, re.MULTILINE):
        text = f"{text.rstrip()}\nER  - \n"
    try:
        parsed = rispy.loads(text)
    except Exception as exc:
        # rispy raises whatever its line handlers run into.
        return Broken(f"not valid RIS ({exc})")
    return _as_record(parsed[0]) if parsed else Broken("not valid RIS (no fields)")


def _as_record(entry: dict[str, Any]) -> Fields:
    """Return the entry under the names that `records` knows."""
    title = _first(entry, "title", "primary_title", "translated_title")
    venue = _first(entry, "secondary_title", "journal_name", "alternate_title3", "alternate_title1")
    return {
        "id": entry.get("id"),
        "title": title,
        "abstract": _first(entry, "abstract", "notes_abstract"),
        "authors": _first(entry, "authors", "first_authors"),
        "year": _first(entry, "year", "publication_year", "date"),
        "venue": venue,
        "url": _first(entry, "urls", "url"),
        "doi": entry.get("doi"),
    }


def _first(entry: dict[str, Any], *names: str) -> Any:
    return next((entry[name] for name in names if entry.get(name)), None)
