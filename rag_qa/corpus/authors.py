"""The value of an author field (a string, list or mapping) → names, each as "Given Family"."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rag_qa.corpus.cleaning import clean_field, without_codes
from rag_qa.corpus.fields import (
    DROPPING,
    FAMILY,
    GIVEN,
    LITERAL,
    MIDDLE,
    NO_NAMES,
    NOT_AUTHORS,
    PARTICLE,
    ROLE,
    SUFFIX,
    WHOLE,
    plain_name,
)
from rag_qa.corpus.literals import read_literal
from rag_qa.corpus.names import PARTICLES, extended_name, flip_name, is_group, is_suffix

_AND = re.compile(r"(?:,\s*+|(?<!\s)\s++)(?:and|&)\s+")
_LISTED = re.compile(r"[;|\n\uff1b\u3001]")
_COMMA = re.compile(r"[,\uff0c]")
_INITIALS = re.compile(r"(?:[^\W\d_a-z]\.?[\s-]?){1,4}")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")
# "Wilma J. Weaver": a name that needs no work.
_WORD = r"[A-ZÀ-ÖØ-ÞĀ-Ž][a-zß-öø-ž]+(?:-[A-ZÀ-ÖØ-ÞĀ-Ž][a-zß-öø-ž]+)*"
_FURTHER = rf"(?!(?:Al|Etal|Others)\b){_WORD}"
_NAME = rf"(?!And )(?:{_WORD}|[A-Z]\.)(?: [A-Z]\.| {_FURTHER})* {_FURTHER}"
_USUAL = re.compile(_NAME)
_ALL_USUAL = re.compile(rf"{_NAME}(?:\n{_NAME})*")
# "Weaver WJ", as PubMed and Europe PMC write names.
_INITIALS_LAST = re.compile(
    r"([^,]*[^\W\d_]{2}) (?!I{2,3}$|IV$)((?:[A-Z]\.?-?){1,3})((?: (?:Jr|Sr|2nd|3rd|I{2,3}|IV)\.?)?)"
)
# Words for the authors that a list leaves out, alone or after the last name.
_OTHERS = re.compile(
    r"(?:(?:^|[,;&\s])\s*(?:and\s+|&\s*)?"
    r"\[?(?:others|et\.? ?al(?:\.|ii)?|u\. ?a\.|\d+ (?:more|others)(?: authors)?)\]?|\s*\[?(?:\u2026|\.{3})\]?)"
    r"[\s.,;]*$",
    re.IGNORECASE,
)
# "et al." turned into "al., et" by a tool that took it for a name.
_ET_TURNED = re.compile(r"(?:^|\s)al\.?,\s*et$", re.IGNORECASE)
# Ids and footnote marks after a name: Scopus' (57190000000), PubMed's (1), DBLP's 0001, 1,2 and *.
_MARKS = re.compile(
    r"(?:\s*\([\d,X-]{1,30}\)|\s0\d{3}|(?<!\d)\d{1,2}|[*\u2020\u2021\u00a7\u00b6\u00b9\u00b2\u00b3]+)$"
)
_LAST_WORDS = frozenset(("others", "al", "alii", "et.al", "etal", "authors", "a", "u.a", "more"))
_LAST_LETTERS = frozenset(word[-2:] for word in _LAST_WORDS if len(word) > 1)
_LONGEST_WORD = 12
# Marks and words such as "et al." are looked for in this many characters at the end.
_TAIL = 40
MOST_MARKS = 20
# Words up to this length may be abbreviations, and keep their full stop.
LONGEST_SHORT = 3
# Keys under which a mapping holds a list of authors.
LISTS = ("value", "author", "authors", "creator")


def read_authors(value: Any) -> tuple[str, ...]:
    """Return the names of an author field in order, each once, without words such as "et al.".

    >>> read_authors("Weaver, Wilma; Mug, Lou; et al.")
    ('Wilma Weaver', 'Lou Mug')
    """
    if not (isinstance(value, list) and value and _is_usual(value[0])):
        return tuple(dict.fromkeys(_initials_first(_cleaned(value))))
    if _are_usual(value):  # most lists, in a tenth of the time
        return tuple(dict.fromkeys(value))
    found = [name for item in value for name in ([item] if _is_usual(item) else _cleaned([item]))]
    if len(set(found)) < len(found):
        found = _cleaned(value)
    return tuple(dict.fromkeys(_initials_first(found)))


def _are_usual(items: list[Any]) -> bool:
    try:
        return bool(_ALL_USUAL.fullmatch("\n".join(items)))
    except TypeError:  # not all are texts
        return False


def leaves_out(value: Any) -> bool:
    """Return whether an author field says that it leaves some out ("et al.", "and others")."""
    if isinstance(value, str):
        last = value[-2:]
        if last.isalpha() and last.casefold() not in _LAST_LETTERS and last != "et":
            return False
        value = read_literal(value)
    if isinstance(value, str):
        text = _without_turned(_without_mark(value.rstrip(" ,;")))
        return _without_others(text) != text
    if isinstance(value, Mapping):
        inner = next((value[key] for key in LISTS if isinstance(value.get(key), list | str)), None)
        return leaves_out(_from_fields(value) if inner is None else inner)
    if not isinstance(value, list | tuple) or not value:
        return False
    # arXiv's dump has each name as a list of its parts.
    last = value[-1]
    return leaves_out(" ".join(filter(None, map(str, last))) if isinstance(last, list | tuple) else last)


def _without_turned(text: str) -> str:
    return text[:-_TAIL] + _ET_TURNED.sub(" et al.", text[-_TAIL:])


def _is_usual(item: Any) -> bool:
    return isinstance(item, str) and bool(_USUAL.fullmatch(item))


def _cleaned(value: Any) -> list[str]:
    names = [_without_others(name) for raw in _names(value) if (name := clean_field(raw))]
    short = {name: _trim(name) for name in names}
    if len(set(short.values())) < len(short):
        # A number that is the only difference between two names of a list is part of them.
        times = Counter(short.values())
        short = {name: name if kept and times[kept] > 1 else kept for name, kept in short.items()}
    return [kept for name in names if (kept := short[name])]


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        value = read_literal(value)
    if isinstance(value, str):
        return _split(without_codes(value))
    if isinstance(value, Mapping):
        return _from_mapping(value)
    if isinstance(value, list | tuple):
        return [name for item in value for name in _member(item)]
    return []


def _from_mapping(value: Mapping[str, Any]) -> list[str]:
    """Return the names under a key such as `author`, or the name of the person that the mapping describes."""
    for key in LISTS:
        if isinstance(value.get(key), list | str):
            return _names(value[key])
    return [_from_fields(value)]


def _member(item: Any) -> list[str]:
    """Return the names in a member of a list. A list in a list is arXiv's [family, given, suffix]."""
    if isinstance(item, str):
        item = without_codes(item)
        parts = _LISTED.split(item) if _LISTED.search(item) else [item]
        return [name for part in parts for name in _one(part)]
    if isinstance(item, Mapping):
        return [_from_fields(item)]
    if isinstance(item, list | tuple) and all(isinstance(part, str) for part in item):
        family, given, suffix = (*item, "", "", "")[:3]
        return [f"{given} {family} {suffix}"]
    return []


def _from_fields(fields: Mapping[str, Any]) -> str:
    """Return the name that a mapping describes; "" for an editor and for what is no name."""
    parts = {plain_name(str(name)): value for name, value in fields.items()}
    if any(plain_name(role) in NOT_AUTHORS for role in _roles(parts)):
        return ""
    family = _part(parts, FAMILY)
    if family:
        before = [_part(parts, names) for names in (GIVEN, MIDDLE, DROPPING, PARTICLE)]
        return " ".join(text for text in (*before, family, _part(parts, SUFFIX)) if text)
    if literal := _part(parts, LITERAL):
        return literal
    for value in (parts.get(name) for name in WHOLE):
        if isinstance(value, Mapping) and (found := _from_fields(value)):
            return found
        if isinstance(value, str) and value.strip():
            return flip_name(value)
    return _part(parts, GIVEN)


def _part(parts: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return a part of a name: its first text, or the texts of a list (middle names) in a row."""
    for value in (parts.get(name) for name in names):
        text = " ".join(item for item in value if isinstance(item, str)) if isinstance(value, list) else value
        if isinstance(text, str) and text.strip():
            return text.strip()
    return ""


def _roles(parts: Mapping[str, Any]) -> list[str]:
    """Return the roles of a person, also from nested mappings (MODS has `role.roleTerm`)."""
    values = [parts[name] for name in ROLE if name in parts]
    nested = [inner for value in values if isinstance(value, Mapping) for inner in value.values()]
    return [value for value in (*values, *nested) if isinstance(value, str)]


def _split(text: str) -> list[str]:
    """Split a list of names written as one string: by ";", "|" or line, else by "and" and commas."""
    chunks = [chunk for chunk in _LISTED.split(_without_stop(_without_others(text))) if chunk.strip(" ,")]
    if len(chunks) > 1 or text.rstrip().endswith(";"):
        return [name for chunk in chunks for name in _one(chunk)]
    return [name for chunk in chunks for part in _split_and(chunk) for name in _split_commas(part)]


def _without_stop(text: str) -> str:
    """Return a list of names without the full stop that PubMed and Europe PMC add to it."""
    if text[-1:] != "." or "." in text[:-1]:
        return text
    last, first = text[:-1].rpartition(" ")[2], _COMMA.split(text)[0].strip()
    ends = (len(last) > LONGEST_SHORT and last.isalpha()) or _INITIALS_LAST.fullmatch(first)
    return text[:-1] if ends and not is_suffix(last) else text


def _one(chunk: str) -> list[str]:
    """Return the name in one item of a list; it is split at "and" only if all parts are "Family, Given"."""
    chunk = _without_others(chunk).strip()
    if chunk[:4].casefold() in ("and ", "and\t") or chunk[:2] == "& ":
        chunk = chunk[chunk.index(" ") :].strip()
    if chunk[-1:] == ")":
        chunk = _without_mark(chunk)
    if "," not in chunk:
        return [chunk] if chunk else []
    parts = _AND.split(chunk)
    if len(parts) > 1 and all("," in part for part in parts) and not is_group(chunk):
        return [flip_name(part) for part in parts]
    return [extended_name(chunk) or flip_name(chunk)]


def _split_and(chunk: str) -> list[str]:
    """Split at "and", except inside the name of a group ("Centers for Disease Control and Prevention")."""
    parts = [part.strip() for part in _AND.split(chunk) if part.strip()]
    kept: list[list[str]] = []
    # Of what precedes "and", up to a comma: is it a group's name, is it one word?
    group = one_word = False
    for part in parts:
        in_last_half = one_word and is_group(part) and not part.casefold().startswith("the ")
        joins = group or in_last_half
        if joins:
            kept[-1].append(part)
        else:
            kept.append([part])
        last = _COMMA.split(part)[-1].strip()
        alone = not joins or bool(_COMMA.search(part))
        group = is_group(last) or (group and not alone)
        one_word = alone and " " not in last
    return [" and ".join(pieces) for pieces in kept]


def _split_commas(chunk: str) -> list[str]:
    if extended := extended_name(chunk):
        return [extended]
    people = _with_suffixes(_COMMA.split(chunk))
    names = [name for name, _ in people]
    if len(people) == 2 and _is_family_first(*names):
        return _flip_pairs(people)
    if len(people) > 2 and len(people) % 2 == 0 and all(_INITIALS.fullmatch(given) for given in names[1::2]):
        return _flip_pairs(people)
    return [f"{name} {suffix}".strip() for name, suffix in people]


def _with_suffixes(parts: list[str]) -> list[tuple[str, str]]:
    """Return the parts of a list, each with the suffix ("Jr.") that follows it."""
    people: list[tuple[str, str]] = []
    for part in (part.strip() for part in parts):
        if people and is_suffix(part):
            people[-1] = (people[-1][0], part)
        elif any(c.isalnum() for c in part):
            people.append((part, ""))
    return people


def _is_family_first(one: str, other: str) -> bool:
    """Return whether two parts are one "Family, Given" and not two names."""
    if is_group(one) or (_CJK.fullmatch(one) and _CJK.fullmatch(other)):
        return False
    short = " " not in one or " " not in other or _INITIALS.fullmatch(other)
    return bool(short) or one.split()[0] in PARTICLES


def _flip_pairs(people: list[tuple[str, str]]) -> list[str]:
    pairs = zip(people[::2], people[1::2], strict=True)
    return [f"{given} {family} {early or late}".strip() for (family, early), (given, late) in pairs]


def _without_others(text: str) -> str:
    """Return a list of names without "et al." or the like at its end."""
    if text[-2:].isalpha() and text[-2:].casefold() not in _LAST_LETTERS:
        return text
    last_word = text[-_LONGEST_WORD:].rstrip(" ,;.\u2026]").rpartition(" ")[2]
    if last_word.casefold() not in _LAST_WORDS and not text.rstrip(" ,;]").endswith(("...", "\u2026")):
        return text
    return text[:-_TAIL] + _OTHERS.sub("", text[-_TAIL:])


def _trim(name: str) -> str:
    """Return a name without "et al.", footnote marks and database ids; "" if no letter is left."""
    name = _without_others(name)
    if name[-1:].isalpha():
        return "" if plain_name(name) in NO_NAMES else name
    for _ in range(MOST_MARKS):
        shorter = _without_mark(name).rstrip(" ,")
        if shorter == name:
            break
        name = shorter
    has_letters = any(c.isalpha() for c in name) and plain_name(name) not in NO_NAMES
    return _without_others(name) if has_letters else ""


def _without_mark(name: str) -> str:
    """Return a name without the footnote mark or id at its end."""
    return name[:-_TAIL] + _MARKS.sub("", name[-_TAIL:])


def _initials_first(names: list[str]) -> list[str]:
    """Return names as "WJ Weaver" if every person of the list is written as "Weaver WJ"."""
    turned = []
    for name in names:
        match = _INITIALS_LAST.fullmatch(name)
        if not match and not is_group(name):
            return names
        if match and len(names) == 1 and len(match[2]) == 2 and match[2].isalpha():
            return names  # "Xi LI" is a family name in capitals
        turned.append(f"{match[2]} {match[1]}{match[3]}" if match else name)
    return turned
