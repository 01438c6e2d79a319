"""JSON and JSON Lines: records on lines, in an array, in columns, or inside what an interface wraps around them.

Interfaces wrap records in many ways ({"data": […]}, {"message": {…}}, {"hits": {"hits": [{"_source": {…}}]}}). None
of them is known by name: the records are what has an abstract or a title.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from rag_qa.corpus.fields import plain_name
from rag_qa.corpus.lookup import ABSTRACT_NAMES, TITLE_NAMES, Fields
from rag_qa.corpus.records import Broken

SNIFFED_LINES = 20
# How deep records are looked for; GraphQL has them at the sixth.
DEPTH = 8
WITH_ABSTRACT = 2
# Names under which nothing but an abstract stands; a "text" or "description" may be that of anything.
STRONG = frozenset(name for name in ABSTRACT_NAMES if "abstract" in name or name == "summary")
OTHER_PAPERS = frozenset(
    "references reference citations related relatedworks referencedworks similar".split()
)
# After so many places at which nothing can be read the rest of a text is given up.
MOST_FAILURES = 1000
_JUNK = "\ufeff\x1e \t\r\n,"
_JUNKS = re.compile(f"[{_JUNK}]*")
# A bracket alone may also begin a text ("[Background] We ask …").
_OPENING = re.compile(rf"[{_JUNK}]*[\[{{]\s*(?:[\[{{\"'\]}}]|null)")
_NEXT_OBJECT = re.compile(r"\n[\ufeff\s]*(?=\{)")
_DECODER = json.JSONDecoder()


def looks_like_lines(text: str) -> bool:
    """Say whether most of the first lines are JSON objects."""
    head = [line for line in text[:200_000].split("\n") if line.strip()][:SNIFFED_LINES]
    return 2 * sum(isinstance(_parse(line), dict) for line in head) > len(head)


def looks_like(text: str) -> bool:
    """Say whether a text begins like a JSON array or object."""
    return bool(_OPENING.match(text))


def lines(text: str) -> Iterator[Fields | Broken]:
    """Yield the records of each line that is not blank; one that holds no record is one that is broken."""
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
    """Yield the records of one JSON value, or of several that follow one another."""
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
    """Yield the records of values that follow one another; after a damaged one, go on at the next line with one."""
    at, failures = _junk_end(text, 0), 0
    while at < len(text) and failures < MOST_FAILURES:
        if text[at] == "]":  # that of an array in which something is damaged
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
    """Yield the records in a JSON value; where none is found, what it is, so that it is told what it lacks."""
    found = _find(value, DEPTH)
    for item in found or (value if isinstance(value, list) else [value]):
        yield item if isinstance(item, dict | Broken) else _wrong(item)


def _wrong(value: Any) -> Broken:
    return Broken(f"expected a JSON object, found {type(value).__name__}")


def _find(value: Any, depth: int) -> list[Any]:
    """Return the records in a value: itself, those of a list, of columns, or of what is wrapped; [] without any."""
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
    own = _worth(value)
    # A record may lack its abstract and yet hold those of the papers that it cites.
    if own == WITH_ABSTRACT or "abstract" in value:
        return [value]
    wrapped = {
        key: found
        for key, member in value.items()
        if plain_name(key) not in OTHER_PAPERS and (found := _find(member, depth - 1))
    }
    worths = {key: max(map(_worth, found[:3])) for key, found in wrapped.items()}
    best = max(worths.values(), default=0)
    if own >= best:
        return [value] if own else []
    chosen = {key: found for key, found in wrapped.items() if worths[key] == best}
    if best < WITH_ABSTRACT:
        chosen = dict([max(chosen.items(), key=lambda item: len(item[1]))])
    several = sum(found[0] is value[key] for key, found in chosen.items()) > 1
    return [
        {**_outer_id(value, key, several), **one} if one is value[key] else one
        for key, found in chosen.items()
        for one in found
    ]


def _worth(value: Any) -> int:
    """Say how much an object looks like a record: it has an abstract, at least a title or a text, or neither."""
    if not isinstance(value, dict):
        return 0
    names = {plain_name(str(name)): member for name, member in value.items()}
    if any(names.get(name) for name in STRONG):
        return WITH_ABSTRACT
    return 1 if "abstract" in names or names.keys() & (ABSTRACT_NAMES | TITLE_NAMES) else 0


def _outer_id(wrapper: dict[str, Any], key: str, several: bool) -> dict[str, Any]:
    """Return the id that a wrapper gives to what it wraps: its own, or the key under which a record stands."""
    if several or any(c.isdigit() for c in key):
        return {"id": key}
    return {name: wrapper[name] for name in ("id", "_id", "key") if isinstance(wrapper.get(name), str | int)}


def _from_columns(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table that pandas wrote by columns ({"title": {"0": …}, …}), or [] if it is none."""
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
