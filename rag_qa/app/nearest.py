"""Names that may have been meant by somebody who typed an unknown one."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(text: str, known: Iterable[str], *, count: int = 1) -> list[str]:
    """Return the known names most like a text, best first, at most `count`; case does not matter."""
    names = {name.casefold(): name for name in known}
    return [names[name] for name in get_close_matches(text.casefold(), names, n=count)]


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return " (did you mean X?)" for the known name most like a text; "" if none is like it.

    >>> did_you_mean("quotes", ["auto", "quote", "synthesis"])
    ' (did you mean quote?)'
    """
    near = nearest(text, known)
    return f" (did you mean {near[0]}?)" if near else ""
