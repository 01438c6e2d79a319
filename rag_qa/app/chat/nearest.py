"""What somebody may have meant who typed something that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return " (did you mean X?)" for the known name nearest to a text; "" where none is near."""
    near = get_close_matches(text.casefold(), list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
