"""Author names from strings, lists and dictionaries, each as "Given Family"; and which of them may be one person."""

import re
from collections.abc import Mapping
from typing import Any

from rag_qa.corpus.cleaning import clean_field
from rag_qa.corpus.ids import normalise_text

_AND = re.compile(r"\s*(?:;|\n|\s(?:and|&)\s)\s*")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]?){1,4}")
# Letters that have no accent to take off.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md|inc|ltd|llc)\.?", re.IGNORECASE)


def read_authors(value: Any) -> tuple[str, ...]:
    """Return the names in the order given, each once; what is no name is left out."""
    return tuple(dict.fromkeys(name for raw in _names(value) if (name := clean_field(raw))))


def flip_name(name: str) -> str:
    """Return "Family, Given" (or "Family, Jr, Given") as "Given Family"; other names as they are."""
    if "," not in name:
        return name
    parts = [part.strip() for part in name.split(",") if part.strip()]
    if len(parts) == 2 and not _SUFFIX.fullmatch(parts[1]):
        return f"{parts[1]} {parts[0]}"
    if len(parts) == 3 and _SUFFIX.fullmatch(parts[1]):
        return f"{parts[2]} {parts[0]} {parts[1]}"
    return " ".join(parts)


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        return _split(value)
    if isinstance(value, Mapping):
        if "value" in value:
            return _names(value["value"])
        return [_from_fields(value)]
    if isinstance(value, list | tuple):
        return [name for item in value for name in _member(item)]
    return []


def _member(item: Any) -> list[str]:
    """Return the name that a member of a list holds; a list is arXiv's [family, given, suffix]."""
    if isinstance(item, str):
        return [flip_name(item)]
    if isinstance(item, Mapping):
        return [_from_fields(item)]
    if isinstance(item, list | tuple) and all(isinstance(part, str) for part in item):
        family, given, suffix = (*item, "", "", "")[:3]
        return [f"{given} {family} {suffix}"]
    return []


def _from_fields(fields: Mapping[str, Any]) -> str:
    given = fields.get("given") or fields.get("first") or fields.get("firstName") or ""
    family = fields.get("family") or fields.get("last") or fields.get("lastName") or ""
    if isinstance(family, str) and isinstance(given, str) and family:
        return f"{given} {family}"
    name = (
        fields.get("name") or fields.get("full_name") or fields.get("fullname") or fields.get("display_name")
    )
    author = fields.get("author")
    if isinstance(author, Mapping):
        return _from_fields(author)
    return flip_name(name) if isinstance(name, str) else ""


def _split(text: str) -> list[str]:
    """Split a list of names written as one string: by "and", ";" or line, else by commas."""
    chunks = [chunk for chunk in _AND.split(text) if chunk.strip()]
    return [name for chunk in chunks for name in _split_commas(chunk)]


def _split_commas(chunk: str) -> list[str]:
    parts = [part.strip() for part in chunk.split(",") if part.strip()]
    if len(parts) == 2 and (" " not in parts[0] or " " not in parts[1]):
        return [flip_name(chunk)]
    if len(parts) == 3 and _SUFFIX.fullmatch(parts[1]):
        return [flip_name(chunk)]
    if len(parts) % 2 == 0 and all(_INITIALS.fullmatch(part) for part in parts[1::2]):
        return [f"{given} {family}" for family, given in zip(parts[::2], parts[1::2], strict=True)]
    return parts


def name_words(name: str) -> list[str]:
    """Return the words of a name ("Given Family" or "Family, Given") in lower case and without accents."""
    words = normalise_text(flip_name(name).casefold().translate(_PLAIN)).split()
    if len(words) > 1 and len(words[-1]) == 1 and len(words[0]) > 1:  # "Gemp I."
        words = [*words[1:], words[0]]
    return words


def may_be(wanted: list[str], name: list[str]) -> bool:
    """Return whether a name, as words, may be the person that other words name.

    "Gemp", "I. Gemp" and "Ian Gemp" all name Ian M. Gemp: an initial stands for any name that begins with it, and
    middle names may be left out; the last word must be there in full, the first one first.
    """
    if not wanted or not name:
        return False
    if len(wanted) > 1 and name[-len(wanted) :] == wanted:  # "van der Maaten"
        return True
    *given, family = wanted
    if not given:
        return family in (name[1:] or name)
    if family not in name[1:] or not _agree(given[0], name[0]):
        return False
    rest = iter(name[1 : len(name) - name[::-1].index(family) - 1])
    return all(any(_agree(word, other) for other in rest) for word in given[1:])


def _agree(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) == 1 and longer.startswith(shorter))
