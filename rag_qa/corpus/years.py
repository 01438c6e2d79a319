"""The value of a date field → a year, or None if there is no possible one."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rag_qa.corpus.fields import plain_name

_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?)?(?!\d)")
# Milliseconds since 1970, for the years 1973 to 2099; smaller numbers may be anything.
EPOCH_FROM, EPOCH_UNTIL = 100_000_000_000, 4_102_444_799_999
# The keys of dates in CSL-JSON, Crossref, PubMed's XML, DataCite and OpenReview, in plain names.
_FORMS = ("dateparts", "year", "medlinedate", "date", "value", "raw", "literal", "datetime", "text")


def read_year(value: Any) -> int | None:
    """Return the year (1500 to 2099) in a number, a date, a text, or a mapping such as `date-parts`; else None.

    Dates may be digits only (20210305), or milliseconds since 1970, as pandas writes them. A DOI is not a date.

    >>> read_year({"date-parts": [[2021, 3, 5]]})
    2021
    """
    if isinstance(value, Mapping):
        parts = {plain_name(str(name)): part for name, part in value.items()}
        forms = (parts[form] for form in _FORMS if form in parts)
        return next((year for form in forms if (year := read_year(form))), None)
    if isinstance(value, list | tuple):
        return next((year for item in value[:3] if (year := read_year(item))), None)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return read_year(int(value)) if value.is_integer() else None
    if isinstance(value, int):
        if 1500 <= value <= 2099:
            return value
        if EPOCH_FROM <= value <= EPOCH_UNTIL:
            return datetime.fromtimestamp(value / 1000, UTC).year
        return read_year(str(value)) if 1500 <= value <= 20991231 else None
    if not isinstance(value, str) or value.lstrip()[:3] == "10.":
        return None
    match = _YEAR.search(value[:100])
    return int(match.group(1)) if match else None
