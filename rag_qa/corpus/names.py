"""Author names from strings, lists and dictionaries, each as "Given Family"."""

import re
from collections.abc import Mapping
from typing import Any

from rag_qa.corpus.cleaning import clean_text

_AND = re.compile(r"\s*(?:;|\n|\s(?:and|&)\s)\s*")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]?){1,4}")
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md|inc|ltd|llc)\.?", re.IGNORECASE)


def read_authors(value: Any) -> tuple[str, ...]:
    """Return the names in the order given, each once; what is no name is left out."""
    return tuple(dict.fromkeys(name for raw in _names(value) if (name := clean_text(raw))))


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
