"""Python lists and mappings that pandas and numpy write as text into a cell of a table."""

import ast
import re
import warnings
from typing import Any

# Longer than any list of authors; a limit, because Python's own parser reads it.
MAX_LITERAL = 200_000
# How such a text begins: a bracket, then a quotation mark or another bracket.
OPENINGS = ("[", "{", "(")
_OPENINGS = ("['", '["', "{'", '{"', "[{", "('", '("')
# numpy writes no commas between texts.
_NO_COMMA = re.compile(r"(['\"])\s+(?=['\"])")


def read_literal(text: str) -> Any:
    """Return the list or mapping that pandas or numpy wrote as text; any other text unchanged.

    >>> read_literal("['A' 'B']")
    ['A', 'B']
    """
    if text[:2] not in _OPENINGS or len(text) > MAX_LITERAL:
        return text
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            value = ast.literal_eval(_NO_COMMA.sub(r"\1, ", text.strip()))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    return list(value) if isinstance(value, tuple) else value
