"""Characters above and below the line → plain text. Readers of markup set marks around them; here these go."""

import re

# Unicode keeps U+FDD0 to U+FDEF for marks inside a program; the decoding drops them from what is read.
RAISED, LOWERED, RESET = "\ufdd4", "\ufdd5", "\ufdd6"
_MARKS = re.compile("[\ufdd4-\ufdd6]")
# Behind a digit these would make another number: 10<sup>6</sup> is not 106.
_AFTER_DIGIT = re.compile("(?:(?<=\\d)|(?<=\\d\ufdd6))([\ufdd4\ufdd5])([^\ufdd4-\ufdd6]{1,20})\ufdd6")
_ABOVE = str.maketrans("0123456789+-−–()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁽⁾ⁿ")
_BELOW = str.maketrans("0123456789+-−–()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₍₎")
_DIGITS_ONLY = re.compile(r"\s*[+\-−–]?\d+[+\-−–]?\s*")


def settle_scripts(text: str) -> str:
    """Return the text with what is marked as raised or lowered on the line: CO2; behind a digit 10⁶."""
    if text.isascii() or not _MARKS.search(text):
        return text
    return _MARKS.sub("", _AFTER_DIGIT.sub(_small, text))


def _small(match: re.Match[str]) -> str:
    if not _DIGITS_ONLY.fullmatch(match[2]):
        return match[2]
    return match[2].strip().translate(_ABOVE if match[1] == RAISED else _BELOW)
