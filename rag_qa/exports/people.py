"""A name with the given name first ("Laurens van der Maaten") → the parts that reference managers need."""

import re
from typing import NamedTuple

from rag_qa.corpus.names import PARTICLES, is_group, is_suffix
from rag_qa.exports.one_line import one_line

# Particles that also begin a family name with a capital ("Luc Van Gool"); the others may be given names then.
_CAPITAL_PARTICLES = frozenset("Van Von De Del Della Dos El Al".split())
# Stands for authors that a source left out.
OTHERS = "et al."


class Person(NamedTuple):
    """The parts of a name; each may be empty. A group, or a name of one word, has only `literal`."""

    given: str = ""
    particle: str = ""
    family: str = ""
    suffix: str = ""
    literal: str = ""

    @property
    def key(self) -> str:
        """The name for a citation key: the family name."""
        return self.family or self.literal


def read_person(name: str) -> Person:
    """Return the parts of a name of the form "Given von Family Jr."; any other form is a literal.

    >>> read_person("Laurens van der Maaten").particle
    'van der'
    """
    line = one_line(name)
    words = line.split()
    if len(words) < 2 or is_group(line) or re.search(r"[,;]|\band\b", line, re.IGNORECASE):
        return Person(literal=line)
    suffix = words.pop() if len(words) > 2 and is_suffix(words[-1]) else ""
    start = len(words) - 1
    while start > 1 and _opens_family(words[start - 1]):
        start -= 1
    end = start
    while end < len(words) - 1 and words[end] in PARTICLES:
        end += 1
    given, particle, family = (" ".join(part) for part in (words[:start], words[start:end], words[end:]))
    return Person(given, particle, family, suffix)


def _opens_family(word: str) -> bool:
    return word in PARTICLES or word in _CAPITAL_PARTICLES


def family_first(person: Person) -> str:
    """Return "van der Maaten, Laurens" or "King, Martin Luther, Jr.", as in RIS; a literal unchanged."""
    if person.literal:
        return person.literal
    family = f"{person.particle} {person.family}".strip()
    return ", ".join(part for part in (family, person.given, person.suffix) if part)
