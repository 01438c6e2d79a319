"""How much of a source is read: sizes of files, records and fields, and depth. What is larger is skipped and told.

With the sizes bounded and every step linear in the size, the time for a record is bounded too; tests/test_regexes.py
and tests/corpus/test_limits.py check that no step grows faster.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rag_qa.settings import Settings
from rag_qa.types import Value

MEGABYTE = 1_000_000


class Limits(Value):
    """The most that is read.

    `file_bytes` holds for a file and for what a packed one unpacks to. A packed file that unpacks to more than
    `free_bytes` may not be `packing` times as large as it is packed: text never is. `record_characters` is the text of
    all fields of a record; `depth` is how deep its values are nested. A file is left
    after `damages` damaged records if they are most of its records.
    """

    file_bytes: int = 2000 * MEGABYTE
    packing: int = 200
    free_bytes: int = 64 * MEGABYTE
    record_characters: int = 10_000_000
    abstract_characters: int = 200_000
    author_characters: int = 2_000_000
    field_characters: int = 200_000
    authors: int = 50_000
    depth: int = 60
    damages: int = 10_000

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Return the limits with the ones that a user may set."""
        return cls(
            file_bytes=settings.file_megabytes * MEGABYTE, abstract_characters=settings.abstract_characters
        )


DEFAULT = Limits()
# Values in a record, counted where they are used: in YAML one value may be used many times, or within itself.
MOST_VALUES = 2_000_000
# How the fields of a role are called in messages.
NAMES = {
    "abstract": "an abstract",
    "authors": "authors",
    "title": "a title",
    "venue": "a venue",
    "url": "an address",
}


class OverLimit(ValueError):
    """Something is larger than its limit; the message is the reason to show."""


def check_file(size: int, limits: Limits) -> None:
    """Raise OverLimit if a file has too many bytes."""
    if size > limits.file_bytes:
        raise OverLimit(
            f"a file of more than {limits.file_bytes // MEGABYTE:,} MB: split it into smaller files, "
            "or set RAG_QA_FILE_MEGABYTES higher"
        )


def most_unpacked(packed: int, limits: Limits) -> int:
    """Return how many bytes a packed file of that size may unpack to."""
    return min(limits.file_bytes, max(limits.free_bytes, limits.packing * packed))


class Size(NamedTuple):
    """The characters of all texts in a value, and how deep it is nested (0 for a text)."""

    characters: int
    depth: int


def size_of(value: Any) -> Size:
    """Return the size of a value as a reader gives it, without recursion. Raises OverLimit over MOST_VALUES values.

    >>> size_of({"title": "Wool", "authors": ["Lou Mug"]})
    Size(characters=11, depth=2)
    """
    characters = depth = values = 0
    waiting: list[Any] = [value]
    level: list[Any] = []
    while True:
        values += len(waiting)
        for item in waiting:
            if isinstance(item, str):
                characters += len(item)
            elif isinstance(item, Mapping):
                level.extend(item.values())
            elif isinstance(item, list | tuple):
                level.extend(item)
            if len(level) + values > MOST_VALUES:
                raise OverLimit(
                    f"a record of more than {MOST_VALUES:,} values: remove what is not a field of the paper"
                )
        if not level:
            return Size(characters, depth)
        depth += 1
        waiting, level = level, []


def check_record(fields: Mapping[str, Any], limits: Limits) -> bool:
    """Return whether a field of the record may be over its limit; raise OverLimit if the record is."""
    size = size_of(fields)
    if size.characters > limits.record_characters:
        raise OverLimit(
            f"a record of {size.characters:,} characters, more than {limits.record_characters:,}: remove what is not "
            "its title, abstract or another field of the paper"
        )
    if size.depth > limits.depth:
        raise OverLimit(
            f"values nested {size.depth:,} deep, more than {limits.depth}: write the title and the abstract as text"
        )
    return size.characters > min(limits.abstract_characters, limits.field_characters)


def check_field(role: str, value: Any, limits: Limits) -> None:
    """Raise OverLimit if the value of a role ("title", "authors") is too large."""
    characters = size_of(value).characters
    most = {"abstract": limits.abstract_characters, "authors": limits.author_characters}.get(
        role, limits.field_characters
    )
    if characters > most:
        cure = "shorten it, or set RAG_QA_ABSTRACT_CHARACTERS higher" if role == "abstract" else "shorten it"
        raise OverLimit(f"{NAMES.get(role, role)} of {characters:,} characters, more than {most:,}: {cure}")


def check_authors(names: tuple[str, ...], limits: Limits) -> None:
    """Raise OverLimit if a paper has too many authors."""
    if len(names) > limits.authors:
        raise OverLimit(
            f"{len(names):,} authors, more than {limits.authors:,}: name the first ones and add “et al.”"
        )
