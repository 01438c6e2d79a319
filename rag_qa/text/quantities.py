"""The numbers of a text with their units, and which numbers of a sentence its source does not have."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from rag_qa.text.words import FUNCTION_WORDS

# Digits after a letter ("C3") are part of a name.
NUMBER = re.compile(
    r"(?<![^\W\d])(?<![\d.])(?P<value>\d+(?:\.\d+)*)|\b(?P<word>hundred|thousand|million|billion|trillion)s?\b",
    re.IGNORECASE,
)
THOUSANDS = re.compile(r"(?<=\d)(?:,|\{,\}|[\u2009\u202f\u00a0])(?=\d{3}(?!\d))")
# "[7]" is a citation mark, not a quantity.
MARKS = re.compile(r"\[\d+(?:\s*[,\u2013-]\s*\d+)*\]")
# Without "one", which is often a pronoun.
SPELT = {
    word: str(number)
    for number, word in enumerate(
        """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen""".split(),
        2,
    )
}
TENS = {
    word: str(tens)
    for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
SPELT |= {ten: f"{tens}0" for ten, tens in TENS.items()}
SPELT |= {
    f"{ten}-{word}": tens + digit
    for ten, tens in TENS.items()
    for word, digit in [("one", "1"), *SPELT.items()]
    if len(digit) == 1
}
SPELT_NUMBER = re.compile(rf"\b(?:{'|'.join(sorted(SPELT, key=len, reverse=True))})\b", re.IGNORECASE)

# Spellings of each unit. A number with one unit in the source must not have another unit in the sentence.
UNITS = {
    spelling: spellings.split()[0]
    for spellings in (
        "% percent percentage",
        "ms millisecond milliseconds",
        "s sec second seconds",
        "min minute minutes",
        "h hour hours",
        "day days",
        "week weeks",
        "month months",
        "year years",
        "mg",
        "g gram grams",
        "kg",
        "nm",
        "mm",
        "cm",
        "km kilometer kilometers kilometre kilometres",
        "m meter meters metre metres",
        "kb",
        "mb megabyte megabytes",
        "gb gigabyte gigabytes",
        "tb terabyte terabytes",
        "hz",
        "khz",
        "mhz",
        "ghz",
        "thousand thousands",
        "million millions",
        "billion billions",
        "trillion trillions",
    )
    for spelling in spellings.split()
}
UNIT = re.compile(r"[\s-]*(%|[A-Za-z]+)")
# The unit of a number before a plural ("31 villages"): 31 % of something else is another number.
THINGS = "things"
# Plurals that a percentage is told in as well.
LIKE_PERCENT = frozenset({"points", "times"})


class Quantity(NamedTuple):
    """A number in digits (or a word such as "million") and its unit: a known one, THINGS for a plural, or ""."""

    number: str
    unit: str

    def __str__(self) -> str:
        if self.unit == "%":
            return f"{self.number}%"
        return f"{self.number} {'' if self.unit == THINGS else self.unit}".strip()


def quantities(text: str) -> list[Quantity]:
    """Return the quantities of a text in order; "2 million" is one, with the unit "million".

    >>> quantities("76.30 % of two million rows")
    [Quantity(number='76.3', unit='%'), Quantity(number='2', unit='million')]
    """
    text = in_digits(text)
    found: list[Quantity] = []
    end = 0
    for match in NUMBER.finditer(text):
        number = _canonical(match["value"]) if match["value"] else match["word"].casefold()
        if not (found and found[-1].unit == number and not text[end : match.start()].strip(" -")):
            found.append(Quantity(number, _unit(text, match.end())))
        end = match.end()
    return found


def numbers(text: str) -> set[str]:
    """Return the numbers of a text in digits without thousands separators, and words such as "million"."""
    return {quantity.number for quantity in quantities(text)}


def unseen(said: Iterable[Quantity], known: Iterable[Quantity]) -> list[Quantity]:
    """Return the quantities in `said` that are not in `known`, each once.

    A number is known if it has the same unit, or no unit on either side.
    """
    units: dict[str, set[str]] = {}
    for quantity in known:
        units.setdefault(quantity.number, set()).add(quantity.unit)
    return [q for q in dict.fromkeys(said) if not _is_known(q, units.get(q.number, set()))]


def in_digits(text: str) -> str:
    """Return the text with numbers in digits, without thousands separators and marks such as "[7]"."""
    plain = THOUSANDS.sub("", MARKS.sub(" ", text).replace("\\%", "%"))
    return SPELT_NUMBER.sub(lambda word: SPELT[word.group().casefold()], plain)


def _is_known(quantity: Quantity, units: set[str]) -> bool:
    return bool(units) and (not quantity.unit or quantity.unit in units or "" in units)


def _canonical(digits: str) -> str:
    """Return "76.3" for "76.30" and "2" for "2.0"; versions such as "1.2.0" stay."""
    return digits.rstrip("0").rstrip(".") if digits.count(".") == 1 else digits


def _unit(text: str, position: int) -> str:
    match = UNIT.match(text, position)
    word = match.group(1).casefold() if match else ""
    plural = word.endswith("s") and word not in FUNCTION_WORDS and word not in LIKE_PERCENT
    return UNITS.get(word, THINGS if plural else "")
