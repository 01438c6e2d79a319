"""JSON and JSON Lines: one object a line, an array of objects, or an object with such an array in it.

The arXiv metadata dump and BEIR's corpus.jsonl are JSON Lines whose field names `records` knows.
"""

import json
from collections.abc import Iterator
from typing import Any

from rag_qa.corpus.records import ABSTRACT, TITLE, Broken, Fields

SNIFFED_LINES = 20
_RECORD_FIELDS = frozenset(ABSTRACT + TITLE)


def looks_like_lines(text: str) -> bool:
    """Say whether most of the first lines are JSON objects."""
    head = [line for line in text[:200_000].split("\n") if line.strip()][:SNIFFED_LINES]
    return 2 * sum(isinstance(_parse(line), dict) for line in head) > len(head)


def looks_like(text: str) -> bool:
    """Say whether a text begins like a JSON array or object."""
    return bool(text.lstrip()[:1] in ("[", "{"))


def lines(text: str) -> Iterator[Fields | Broken]:
    """Yield one record for each line that is not blank."""
    for line in text.split("\n"):
        if line and not line.isspace():
            yield _as_record(_parse(line))


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the records of the array, or of the first list of objects inside the object."""
    value = _parse(text)
    found = value if isinstance(value, Broken) else _find_records(value)
    if isinstance(found, list):
        yield from map(_as_record, found)
    else:
        yield _as_record(found)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        return Broken(f"not valid JSON ({type(exc).__name__ if isinstance(exc, RecursionError) else exc})")


def _as_record(value: Any) -> Fields | Broken:
    if isinstance(value, dict | Broken):
        return value
    return Broken(f"expected a JSON object, found {type(value).__name__}")


def _find_records(value: Any, depth: int = 3) -> Any:
    """Return the list of records in a JSON value, or the value itself where it is one record."""
    if not isinstance(value, dict) or depth == 0 or _is_record(value):
        return value
    for member in value.values():
        if isinstance(member, list) and any(isinstance(item, dict) for item in member):
            return member
    if value and all(isinstance(member, dict) and _is_record(member) for member in value.values()):
        return [{"id": key, **member} for key, member in value.items()]
    nested = (_find_records(member, depth - 1) for member in value.values() if isinstance(member, dict))
    return next((found for found in nested if isinstance(found, list)), value)


def _is_record(value: dict[str, Any]) -> bool:
    return any(
        (str(key).casefold() in _RECORD_FIELDS and not isinstance(member, list)) or key == "abstract"
        for key, member in value.items()
    )
