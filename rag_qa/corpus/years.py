"""A year from whatever stands in a date field; an impossible one is None."""

import re
from collections.abc import Mapping
from typing import Any

_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")


def read_year(value: Any) -> int | None:
    """Return the year (1500 to 2099) in a number, a date, a text, or Crossref's `date-parts`; else None."""
    if isinstance(value, Mapping):
        return read_year(value.get("date-parts") or value.get("value") or value.get("raw"))
    if isinstance(value, list | tuple):
        return read_year(value[0]) if value else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return read_year(int(value)) if value.is_integer() else None
    if isinstance(value, int):
        return value if 1500 <= value <= 2099 else None
    match = _YEAR.search(value[:100]) if isinstance(value, str) else None
    return int(match.group()) if match else None
