"""Characters above and below the line → plain text. Readers of markup set marks around them; here these go."""

import re

# Of the private use area, which no text has.
RAISED, LOWERED, RESET = "\ue020", "\ue021", "\ue022"
_MARKS = re.compile("[\ue020-\ue022]")
# Behind a digit these would make another number: 10<sup>6</sup> is not 106.
_AFTER_DIGIT = re.compile("(?:(?<=\\d)|(?<=\\d\ue022))([\ue020\ue021])([^\ue020-\ue022]{1,20})\ue022")
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
