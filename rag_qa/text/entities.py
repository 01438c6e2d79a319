"""Names in one text that another text does not have, recognised by capitals and digits. English only."""

import re

from rag_qa.text.words import WORD, abbreviates

# A word with two capitals, or a capital and a digit, is a name anywhere; one with one capital only inside a sentence.
# Each look-ahead stops at the first character that it wants, so that a long word takes linear time.
CODE = re.compile(
    r"\b(?=[^\WA-Z]*+[A-Z])"
    r"(?=[^\WA-Z0-9]*+[A-Z0-9][^\WA-Z0-9]*+[A-Z0-9]|[^\WA-Z]*+[A-Z][^\W\d]*+\d|[^\Wa-z]*+[a-z][^\WA-Z]*+[A-Z])"
    r"[\w-]*\w\b"
)
CAPITALISED = re.compile(r"(?<!^)(?<![.!?:] )(?<![\"\u201c'\u2018(\[])\b[A-Z][a-z]+\b")


def foreign_codes(text: str, source: str) -> list[str]:
    """Return names such as "GSM8K" and "BERTopic" that the source has neither in full nor as initials."""
    return _foreign(CODE, text, source)


def foreign_names(text: str, source: str) -> list[str]:
    """Return names such as "Lanczos" that the source has neither in full nor as initials."""
    return _foreign(CAPITALISED, text, source)


def _foreign(pattern: re.Pattern[str], text: str, source: str) -> list[str]:
    known = [word.casefold() for word in WORD.findall(source)]
    joined = "".join(known)
    found = []
    for name in dict.fromkeys(pattern.findall(text)):
        words = [word.casefold() for word in WORD.findall(name)]
        plain = "".join(words)
        if (
            not set(words) <= set(known)
            and plain.removesuffix("s") not in joined
            and not abbreviates(plain, source)
        ):
            found.append(name)
    return found
