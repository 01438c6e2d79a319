"""One name: its family name, whether it is a group's, and which names may be the same person."""

import re

from rag_qa.corpus.ids import normalise_text

# Words before a family name that belong to it.
PARTICLES = frozenset(
    "van von der den de del della di da dos du la le ter ten zu zur af el al bin ibn".split()
)
# Letters that Unicode does not decompose into a letter and an accent.
UNACCENTED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|2nd|3rd|ph\.?d|m\.?d|inc|ltd|llc)\.?", re.IGNORECASE)
_GROUP = re.compile(
    r"\b(?:academy|administration|agency|alliance|association|authority|board|bureau|cent(?:er|re)s?|coalition"
    r"|collaborat(?:ion|ive|ors)|college|commission|committee|company|consorti(?:um|a)|corporation|council|department"
    r"|division|executive|federation|force|foundation|gmbh|group|hospital|inc|initiative|institut(?:es?|ions?)"
    r"|investigators|laborator(?:y|ies)|library|ltd|llc|ministry|network|office|organi[sz]ations?|panel|partnership"
    r"|program(?:me)?|project|services?|society|stud(?:y|ies)|survey|team|trial(?:s|ists)?|trust|union|university"
    r"|working)\b",
    re.IGNORECASE,
)
_EXTENDED = re.compile(r"\b(family|given|prefix|suffix)\s*=\s*(\"[^\"]*\"|\{[^{}]*\}|[^,]*)", re.IGNORECASE)


def flip_name(name: str) -> str:
    """Return "Family, Given" as "Given Family"; other names, and groups, unchanged.

    >>> flip_name("King, Jr., Martin")
    'Martin King Jr.'
    """
    if "," not in name or is_group(name):
        return name
    family, *rest = [part.strip() for part in name.split(",") if part.strip()] or [""]
    suffixes = [part for part in rest if is_suffix(part)]
    given = [part for part in rest if not is_suffix(part)]
    return name if len(given) > 1 else " ".join([*given, family, *suffixes])


def is_suffix(part: str) -> bool:
    """Return whether a part of a name is a suffix such as "Jr." or "III"."""
    return bool(_SUFFIX.fullmatch(part))


def is_group(name: str) -> bool:
    """Return whether a name is that of an institution or a group, not of a person."""
    return bool(_GROUP.search(name))


def extended_name(name: str) -> str | None:
    """Return the whole name of a biblatex name in parts ("family=Mug, given=Lou"), or None if it is not one."""
    if "=" not in name:
        return None
    parts = {part.casefold(): text.strip(' "{}') for part, text in _EXTENDED.findall(name)}
    return (
        " ".join(parts[part] for part in ("given", "prefix", "family", "suffix") if parts.get(part)) or None
    )


def name_words(name: str) -> list[str]:
    """Return the words of a name, given name first, in lower case and without accents."""
    words = normalise_text(flip_name(name).casefold().translate(UNACCENTED)).split()
    if len(words) > 1 and len(words[-1]) == 1 and len(words[0]) > 1:  # "Gemp I."
        words = [*words[1:], words[0]]
    return words


def may_be(wanted: list[str], name: list[str]) -> bool:
    """Return whether an author's name may be the person asked for; both are lists as `name_words` returns them.

    "Gemp", "I. Gemp" and "Ian Gemp" all match Ian M. Gemp: an initial matches any name that begins with it, and middle
    names may be missing. The family name must match in full, and the first given name must match the first word.

    >>> may_be(name_words("I. Gemp"), name_words("Ian M. Gemp"))
    True
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
