"""Finds the values of a record by role ("title", "authors"), under the names in fields.py, also in nested values."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from rag_qa.corpus.fields import NAMES, plain_name
from rag_qa.corpus.limits import Limits, check_field
from rag_qa.corpus.literals import OPENINGS, read_literal

# The keys under which a nested value holds its text.
TEXT_KEYS = ("value", "name", "raw", "text", "description", "p", "title", "displayname", "#text", "$")
EMPTY: tuple[Any, ...] = (None, "", [], {})
TITLE_NAMES = frozenset(name for name in NAMES["title"] if "." not in name and name != "displayname")
ABSTRACT_NAMES = frozenset(name for name in NAMES["abstract"] if "." not in name)

Fields = Mapping[str, Any]
Path = tuple[str, ...]
Plan = Mapping[str, list[tuple[str, Path]]]


def _ranks() -> dict[str, list[tuple[str, int, Path]]]:
    """Return, for each field name, the roles it may have, its rank in each (0 best), and the path into its value.

    Flattened tables join the steps of a path ("authorships.author.display_name"); that name counts too.
    """
    ranks: dict[str, list[tuple[str, int, Path]]] = {}
    for role, names in NAMES.items():
        for rank, name in enumerate(names):
            head, *steps = name.split(".")
            ranks.setdefault(head, []).append((role, rank, tuple(steps)))
            if steps:
                ranks.setdefault(name.replace(".", ""), []).append((role, rank, ()))
    return ranks


_RANKS = _ranks()


@lru_cache(maxsize=4096)
def _plan(names: tuple[str, ...]) -> Plan:
    """Return the fields and paths of each role, best first. Cached, because records of a file share their fields."""
    found: dict[str, list[tuple[int, str, Path]]] = {}
    for name in names:
        for role, rank, steps in _RANKS.get(name, ()):
            found.setdefault(role, []).append((rank, name, steps))
    return {role: [(name, steps) for _, name, steps in sorted(ranked)] for role, ranked in found.items()}


class Record(NamedTuple):
    """The fields of a record under plain names, and the fields of each role; `limits` only if a field is large."""

    known: Fields
    plan: Plan
    limits: Limits | None = None

    @classmethod
    def of(cls, known: Fields, limits: Limits | None = None) -> "Record":
        """Return the record of these fields, whose values are checked against the limits if there are any."""
        return cls(known, _plan(tuple(known)), limits)

    def values(self, role: str) -> Iterator[Any]:
        """Yield the values of a role that are not empty, best first. Raises OverLimit."""
        for name, steps in self.plan.get(role, ()):
            value = _descend(self.known[name], steps) if steps else self.known[name]
            if value or value not in EMPTY:
                if self.limits:
                    check_field(role, value, self.limits)
                yield value

    def texts(self, role: str) -> Iterator[str]:
        """Yield the values of a role as text; of a list its first member (in titles, translations follow)."""
        if role in self.plan:
            for value in self.values(role):
                if text := _first_of(value):
                    yield text

    def text(self, role: str) -> str:
        """Return the best text of a role, or "" if there is none."""
        if role in self.plan:
            for value in self.values(role):
                if text := _first_of(value):
                    return text
        return ""


def _descend(value: Any, steps: Path) -> Any:
    """Return the value at the end of a path into nested values; for a list, the values in its members."""
    for n, step in enumerate(steps):
        if isinstance(value, str) and value[:1] in OPENINGS:
            value = read_literal(value)
        if isinstance(value, list | tuple):
            if step != "0":
                found = [_descend(item, steps[n:]) for item in value]
                return [item for item in found if item not in EMPTY]
            value = value[0] if value else None
        elif isinstance(value, Mapping):
            value = next((member for name, member in value.items() if plain_name(str(name)) == step), None)
        else:
            return None
    return value


def _first_of(value: Any) -> str | None:
    if isinstance(value, str) and value[:1] not in OPENINGS:
        return value if value and not value.isspace() else None
    return next((text for item in members(value) if (text := text_of(item))), None)


def text_of(value: Any) -> str | None:
    """Return a value as text, or None: a string, a number, a list of texts, or one of these under a TEXT_KEYS key."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return str(value) if value == value and abs(value) < 1e15 else None
    if isinstance(value, list):
        return (
            " ".join(text for item in value if isinstance(item, str | Mapping) and (text := text_of(item)))
            or None
        )
    if isinstance(value, Mapping):
        return next((text for key in TEXT_KEYS if (text := text_of(value.get(key)))), None) or _in_order(
            value
        )
    return None


def _in_order(index: Mapping[str, Any]) -> str | None:
    """Return the text of an inverted index (word → positions, as OpenAlex gives it), or None."""
    if not all(isinstance(positions, list) for positions in index.values()):
        return None
    found = [(at, word) for word, positions in index.items() for at in positions if isinstance(at, int)]
    return " ".join(word for _, word in sorted(found)) or None


def members(value: Any) -> list[Any]:
    """Return the members of a list, also of one written as text ("['A', 'B']"); another value as its only member."""
    if isinstance(value, str) and value[:1] in OPENINGS:
        value = read_literal(value)
    return value if isinstance(value, list) else [value]
