"""Names in one text that another text does not have, recognised by capitals and digits. English only."""

import re

from rag_qa.text.words import WORD, abbreviates

# A word with two capitals, or a capital and a digit, is a name anywhere; one with one capital only inside a sentence.
CODE = re.compile(r"\b(?=\w*[A-Z])(?=\w*[A-Z0-9]\w*[A-Z0-9]|\w*[A-Z]\w*\d|\w*[a-z]\w*[A-Z])[\w-]*\w\b")
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
