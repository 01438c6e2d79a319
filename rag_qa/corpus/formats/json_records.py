"""JSON and JSON Lines: records on lines, in an array, in columns, or nested in the response of a web API.

Web APIs wrap records in many ways ({"data": […]}, {"message": {…}}, {"hits": {"hits": [{"_source": {…}}]}}). No
wrapper is known by name: a record is an object with an abstract or a title.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from rag_qa.corpus.fields import plain_name
from rag_qa.corpus.lookup import ABSTRACT_NAMES, TITLE_NAMES, Fields
from rag_qa.corpus.records import Broken

SNIFFED_LINES = 20
# The deepest level at which records are looked for; GraphQL has them at level six.
DEPTH = 8
WITH_ABSTRACT = 2
# Names that only abstracts have; a "text" or "description" may be anything.
STRONG = frozenset(name for name in ABSTRACT_NAMES if "abstract" in name or name == "summary")
OTHER_PAPERS = frozenset(
    "references reference citations related relatedworks referencedworks similar".split()
)
# After this many errors the rest of a text is not read.
MOST_FAILURES = 1000
_JUNK = "\ufeff\x1e \t\r\n,"
_JUNKS = re.compile(f"[{_JUNK}]*")
# A bracket alone may also begin prose ("[Background] We ask …").
_OPENING = re.compile(rf"[{_JUNK}]*[\[{{]\s*(?:[\[{{\"'\]}}]|null)")
_NEXT_OBJECT = re.compile(r"\n(?:[^\S\n]|\ufeff)*+(?=\{)")
_DECODER = json.JSONDecoder()


def looks_like_lines(text: str) -> bool:
    """Return whether most of the first lines are JSON objects."""
    head = [line for line in text[:200_000].split("\n") if line.strip()][:SNIFFED_LINES]
    return 2 * sum(isinstance(_parse(line), dict) for line in head) > len(head)


def looks_like(text: str) -> bool:
    """Return whether a text begins like a JSON array or object."""
    return bool(_OPENING.match(text))


def lines(text: str) -> Iterator[Fields | Broken]:
    """Yield the records of each non-blank line; a line without a record is reported as broken."""
    for line in text.split("\n"):
        if line and not line.isspace():
            value = _parse(line)
            if isinstance(value, dict) and isinstance(value.get("abstract"), str):
                yield value
            elif isinstance(value, Broken) and line.count("{") > 1:
                yield from _in_a_row(line)
            elif isinstance(value, list):
                yield Broken("expected a JSON object, found list")
            else:
                yield from _as_records(value)


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the records of one JSON value, or of several in a row."""
    value = _parse(text)
    yield from _in_a_row(text) if isinstance(value, Broken) else _as_records(value)


def _parse(text: str) -> Any:
    try:
        return json.loads(text.strip(_JUNK))
    except (ValueError, RecursionError) as exc:
        return _broken(exc)


def _broken(exc: Exception) -> Broken:
    return Broken(f"not valid JSON ({type(exc).__name__ if isinstance(exc, RecursionError) else exc})")


def _in_a_row(text: str) -> Iterator[Fields | Broken]:
    """Yield the records of several values in a row; after a damaged one, continue at the next line with an object."""
    at, failures = _junk_end(text, 0), 0
    while at < len(text) and failures < MOST_FAILURES:
        if text[at] == "]":  # the end of an array with a damaged value
            at = _junk_end(text, at + 1)
            continue
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as exc:
            failures += 1
            if text[at] == "[":
                at = _junk_end(text, at + 1)
                continue
            following = _NEXT_OBJECT.search(text, at)
            yield _broken(exc)
            at = following.end() if following else len(text)
        else:
            yield from _as_records(value)
        at = _junk_end(text, at)


def _junk_end(text: str, at: int) -> int:
    match = _JUNKS.match(text, at)
    return match.end() if match else at


def _as_records(value: Any) -> Iterator[Fields | Broken]:
    """Yield the records in a JSON value; if none is found, the value itself, so that the reason is reported."""
    found = _find(value, DEPTH)
    for item in found or (value if isinstance(value, list) else [value]):
        yield item if isinstance(item, dict | Broken) else _wrong(item)


def _wrong(value: Any) -> Broken:
    return Broken(f"expected a JSON object, found {type(value).__name__}")


def _find(value: Any, depth: int) -> list[Any]:
    """Return the records in a value: the value itself, or those in a list, in columns or in a wrapper."""
    if depth == 0:
        return []
    if isinstance(value, list):
        found = [_find(item, depth - 1) for item in value]
        return (
            [one for item, ones in zip(value, found, strict=True) for one in ones or [item]]
            if any(found)
            else []
        )
    if not isinstance(value, dict):
        return []
    rows = _from_columns(value)
    return rows or _find_in_object(value, depth)


def _find_in_object(value: dict[str, Any], depth: int) -> list[Any]:
    own = _record_likeness(value)
    # A record may lack its abstract and yet hold those of the papers that it cites.
    if own == WITH_ABSTRACT or "abstract" in value:
        return [value]
    wrapped = {
        key: found
        for key, member in value.items()
        if plain_name(key) not in OTHER_PAPERS and (found := _find(member, depth - 1))
    }
    likenesses = {key: max(map(_record_likeness, found[:3])) for key, found in wrapped.items()}
    best = max(likenesses.values(), default=0)
    if own >= best:
        return [value] if own else []
    chosen = {key: found for key, found in wrapped.items() if likenesses[key] == best}
    if best < WITH_ABSTRACT:
        chosen = dict([max(chosen.items(), key=lambda item: len(item[1]))])
    several = sum(found[0] is value[key] for key, found in chosen.items()) > 1
    return [
        {**_outer_id(value, key, several), **one} if one is value[key] else one
        for key, found in chosen.items()
        for one in found
    ]


def _record_likeness(value: Any) -> int:
    """Return 2 if an object has an abstract, 1 if it has a title or a text, else 0."""
    if not isinstance(value, dict):
        return 0
    names = {plain_name(str(name)): member for name, member in value.items()}
    if any(names.get(name) for name in STRONG):
        return WITH_ABSTRACT
    return 1 if "abstract" in names or names.keys() & (ABSTRACT_NAMES | TITLE_NAMES) else 0


def _outer_id(wrapper: dict[str, Any], key: str, several: bool) -> dict[str, Any]:
    """Return the id that a wrapper gives to a record: its own id, or the key of the record in it."""
    if several or any(c.isdigit() for c in key):
        return {"id": key}
    return {name: wrapper[name] for name in ("id", "_id", "key") if isinstance(wrapper.get(name), str | int)}


def _from_columns(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table in columns, as pandas writes it ({"title": {"0": …}, …}), or []."""
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        names = [str(name) for name in value["columns"]]
        return [
            dict(zip(names, row, strict=False)) if isinstance(row, list) else row for row in value["data"]
        ]
    columns = list(value.values())
    if not {plain_name(name) for name in value} & (STRONG | TITLE_NAMES):
        return []
    if all(isinstance(column, dict) and column.keys() == columns[0].keys() for column in columns):
        rows = [] if "value" in columns[0] else list(columns[0])
        return [{name: column[row] for name, column in value.items()} for row in rows]
    if all(isinstance(column, list) and len(column) == len(columns[0]) > 1 for column in columns):
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    return []
