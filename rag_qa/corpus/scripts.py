"""Superscripts and subscripts → plain text. Markup readers put RAISED, LOWERED and RESET around them."""

import re

# Unicode reserves U+FDD0 to U+FDEF for use inside a program; decoding.py removes them from all input.
RAISED, LOWERED, RESET = "\ufdd4", "\ufdd5", "\ufdd6"
_MARKS = re.compile("[\ufdd4-\ufdd6]")
# After a digit a script would change the number: 10<sup>6</sup> is not 106.
_AFTER_DIGIT = re.compile("(?:(?<=\\d)|(?<=\\d\ufdd6))([\ufdd4\ufdd5])([^\ufdd4-\ufdd6]{1,20})\ufdd6")
_ABOVE = str.maketrans("0123456789+-−–()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁽⁾ⁿ")
_BELOW = str.maketrans("0123456789+-−–()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₍₎")
_DIGITS_ONLY = re.compile(r"\s*[+\-−–]?\d+[+\-−–]?\s*")


def settle_scripts(text: str) -> str:
    """Return the text with marked scripts as plain characters (CO2), or as Unicode scripts after a digit (10⁶)."""
    if text.isascii() or not _MARKS.search(text):
        return text
    return _MARKS.sub("", _AFTER_DIGIT.sub(_small, text))


def _small(match: re.Match[str]) -> str:
    if not _DIGITS_ONLY.fullmatch(match[2]):
        return match[2]
    return match[2].strip().translate(_ABOVE if match[1] == RAISED else _BELOW)
