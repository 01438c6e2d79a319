"""Filters as they are typed: flags of a command, and `/filter year=2019..2022 author="Ian Gemp"` in chat."""

import re
import shlex
from collections.abc import Sequence
from typing import get_args

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
    venues: Sequence[str] = (),
    authors: Sequence[str] = (),
    sources: Sequence[str] = (),
    statuses: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Filter:
    """Return the filter that flags describe. Raises FilterError for years and statuses that cannot be read."""
    first, last = _read_years(year) if year else (None, None)
    return Filter(
        since=first if since is None else max(since, first or since),
        until=last,
        venues=tuple(venues),
        authors=tuple(authors),
        sources=tuple(sources),
        statuses=tuple(map(_read_status, statuses)),
        without=tuple(map(_read_status, without)),
    )


def read_filter(text: str) -> Filter:
    """Return the filter that `name=value` pairs describe. Raises FilterError for anything else."""
    given: dict[str, list[str]] = {name: [] for name in FIELDS}
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise FilterError(f"the filter {text!r} has an open quotation mark; write {EXAMPLE}") from exc
    for word in words:
        name, equals, value = word.partition("=")
        if name not in FIELDS or not equals or not value.strip():
            raise FilterError(f"{word!r} is no filter: it takes {', '.join(FIELDS)}; write {EXAMPLE}")
        given[name].append(value.strip())
    since = given["since"][-1] if given["since"] else None
    if since is not None and not since.isdigit():
        raise FilterError(f"since={since} is no year; write since=2020")
    return make_filter(
        year=given["year"][-1] if given["year"] else None,
        since=int(since) if since else None,
        venues=given["venue"],
        authors=given["author"],
        sources=given["source"],
        statuses=given["status"],
        without=given["without"],
    )


def _read_status(text: str) -> PaperStatus:
    """Return the status that a word names: "preprints" too, and "concern" for an expression of concern."""
    wanted = " ".join(re.sub(r"[-_]", " ", text).casefold().split()).removesuffix("s")
    found = [status for status in STATUSES if wanted in (status, status.split()[-1])]
    if not found:
        raise FilterError(f"{text!r} is no status of a paper; write one of {', '.join(STATUSES)}")
    return found[0]


def _read_years(text: str) -> tuple[int | None, int | None]:
    match = YEARS.fullmatch(text.strip())
    if match is None or not (match["since"] or match["until"]):
        raise FilterError(f"{text!r} is no year or range of years; write 2020, 2019..2022, 2019.. or ..2022")
    since, until = (int(match[name]) if match[name] else None for name in ("since", "until"))
    if match["range"] is None:
        return since, since
    if since and until and since > until:
        raise FilterError(f"{text!r} ends before it begins; write {until}..{since}")
    return since, until
