"""LaTeX → text, by pylatexenc. Formulas are kept as they are."""

import re

_PERCENT = re.compile(r"(?<!\\)%")
_AMPERSAND = re.compile(r"(?<!\\)&")


def decode_latex(value: str) -> str:
    """Return the text with LaTeX accents and commands decoded and grouping braces gone; formulas stay."""
    if not any(mark in value for mark in "\\{}~$"):
        return value
    from pylatexenc.latex2text import LatexNodes2Text  # type: ignore[import-untyped]

    # pylatexenc takes an unescaped % for a comment to the line's end, and drops a bare &.
    escaped = _AMPERSAND.sub(r"\\&", _PERCENT.sub(r"\\%", value))
    decoder = LatexNodes2Text(math_mode="verbatim", keep_comments=True)
    try:
        decoded = decoder.latex_to_text(escaped, tolerant_parsing=True)
    except Exception:
        # Its parser fails in many ways on malformed LaTeX; the raw text is better than no paper.
        return value
    return str(decoded)
