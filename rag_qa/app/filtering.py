"""Filters as they are typed: flags of a command, and `/filter year=2019..2022 author="Ian Gemp"` in chat."""

import re
import shlex
from collections.abc import Sequence
from typing import Any, get_args

from rag_qa.errors import FilterError
from rag_qa.types import Filter, PaperStatus

YEARS = re.compile(r"(?P<since>\d{4})?(?P<range>\s*(?:\.\.|-|–)\s*)?(?P<until>\d{4})?")
FIELDS = ("year", "since", "venue", "author", "source", "status", "without")
STATUSES: tuple[PaperStatus, ...] = get_args(PaperStatus)
EXAMPLE = '/filter year=2019..2022 venue=NeurIPS author="Ian Gemp"'


def make_filter(
    *,
    year: str | None = None,
    since: int | None = None,
    venue: Sequence[str] | None = None,
    author: Sequence[str] | None = None,
    source: Sequence[str] | None = None,
    status: Sequence[str] | None = None,
    without: Sequence[str] | None = None,
) -> Filter:
    """Return the filter that the flags of these names describe.

    Raises FilterError for a year or a status that cannot be read.

    >>> make_filter(year="2019..2022", since=2020).text
    'from 2020 to 2022'
    """
    first, last = _read_years(year) if year else (None, None)
    return Filter(
        since=first if since is None else max(since, first or since),
        until=last,
        venues=tuple(venue or ()),
        authors=tuple(author or ()),
        sources=tuple(source or ()),
        statuses=tuple(map(_read_status, status or ())),
        without=tuple(map(_read_status, without or ())),
    )


def filter_flags(filter: Filter) -> dict[str, Any]:
    """Return the flags that `make_filter` makes the same filter of, without those that are not needed."""
    flags = {
        "since": filter.since,
        "year": f"..{filter.until}" if filter.until is not None else None,
        "venue": filter.venues,
        "author": filter.authors,
        "source": filter.sources,
        "status": filter.statuses,
        "without": filter.without,
    }
    return {name: value for name, value in flags.items() if value is not None and value != ()}


def read_filter(text: str) -> Filter:
    """Return the filter that `name=value` pairs describe. Raises FilterError for anything else."""
    given: dict[str, list[str]] = {}
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise FilterError(f"the filter {text!r} has an open quotation mark; write {EXAMPLE}") from exc
    for word in words:
        name, equals, value = word.partition("=")
        if name not in FIELDS or not equals or not value.strip():
            raise FilterError(f"{word!r} is not a filter; a filter is {', '.join(FIELDS)}: write {EXAMPLE}")
        given.setdefault(name, []).append(value.strip())
    year, since = (given.pop(name, [""])[-1] for name in ("year", "since"))
    if since and not since.isdigit():
        raise FilterError(f"since={since} is not a year; write since=2020")
    return make_filter(year=year, since=int(since) if since else None, **given)


def _read_status(text: str) -> PaperStatus:
    """Return the status that a word names: "preprints" too, and "concern" for an expression of concern."""
    wanted = " ".join(re.sub(r"[-_]", " ", text).casefold().split()).removesuffix("s")
    found = [status for status in STATUSES if wanted in (status, status.split()[-1])]
    if not found:
        raise FilterError(f"{text!r} is not a status of a paper; write one of {', '.join(STATUSES)}")
    return found[0]


def _read_years(text: str) -> tuple[int | None, int | None]:
    """Return the first and the last year of a range, None for an open end."""
    match = YEARS.fullmatch(text.strip())
    if match is None or not (match["since"] or match["until"]):
        raise FilterError(
            f"{text!r} is not a year or a range of years; write 2020, 2019..2022, 2019.. or ..2022"
        )
    since, until = (int(match[name]) if match[name] else None for name in ("since", "until"))
    if match["range"] is None:
        return since, since
    if since and until and since > until:
        raise FilterError(f"{text!r} ends before it begins; write {until}..{since}")
    return since, until
