"""A filter → exactly the papers that pass it, from the facets of the index, before anything is ranked.

Names are compared without case, accents and punctuation. An author may be given by family name or with initials. A
venue matches without the year in its name ("NeurIPS" is "NeurIPS 2020"); if none matches, every venue whose name
contains the words. A source is a part of a path, or a pattern with `*`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

import numpy as np

from rag_qa.corpus.ids import normalise_text
from rag_qa.corpus.names import may_be, name_words
from rag_qa.errors import FilterError
from rag_qa.index.exact import Ordinals
from rag_qa.index.facets import NO_YEAR, Facet, Facets
from rag_qa.types import Filter

NEAREST = 5
# An error lists all values of a facet if there are no more than this.
FEW_VALUES = 40
CLOSE = 0.6
YEAR = re.compile(r"\b(?:19|20)?\d\d\b")
# Names of the same venue.
VENUE_NAMES = (
    ("neurips", "nips", "neural information processing systems"),
    ("icml", "international conference on machine learning"),
    ("iclr", "international conference on learning representations"),
    ("acl", "annual meeting of the association for computational linguistics"),
    ("emnlp", "empirical methods in natural language processing"),
    ("cvpr", "computer vision and pattern recognition"),
    ("aaai", "aaai conference on artificial intelligence"),
    ("jmlr", "journal of machine learning research"),
    ("tmlr", "transactions on machine learning research"),
)


def matching(wanted: Filter, facets: Facets) -> Ordinals:
    """Return the papers that pass, in order.

    Raises FilterError if there is none; its message names the nearest values that the index has.
    """
    passing = np.arange(len(facets.years))
    for name, papers in _conditions(wanted, facets):
        left = np.intersect1d(passing, papers, assume_unique=True)
        if not len(left):
            raise FilterError(
                f"no paper is {wanted.text}: of the {len(passing)} left, none is {name}; widen the filter"
            )
        passing = left
    return passing


def _conditions(wanted: Filter, facets: Facets) -> Iterable[tuple[str, Ordinals]]:
    """Yield each condition in words, with the papers that meet it. Raises FilterError if none does."""
    for author in wanted.authors:
        yield f"by {author}", _of_any(facets.authors, [author], authors_like, "author")
    if wanted.venues:
        yield f"at {' or '.join(wanted.venues)}", _of_any(facets.venues, wanted.venues, venues_like, "venue")
    if wanted.sources:
        yield (
            f"in {' or '.join(wanted.sources)}",
            _of_any(facets.files, wanted.sources, _files_like, "source"),
        )
    if wanted.statuses:
        yield f"marked {' or '.join(wanted.statuses)}", _of_statuses(wanted.statuses, facets)
    if wanted.without:
        marked = _of_statuses(wanted.without, facets)
        yield f"not marked {' or '.join(wanted.without)}", np.setdiff1d(np.arange(len(facets.years)), marked)
    if wanted.since is not None or wanted.until is not None:
        yield Filter(since=wanted.since, until=wanted.until).text, _of_years(wanted, facets)


def _of_any(
    facet: Facet, names: Sequence[str], like: Callable[[str, Facet], list[int]], what: str
) -> Ordinals:
    numbers = {name: like(name, facet) for name in names}
    for name, found in numbers.items():
        if not found:
            raise FilterError(f"no paper in the index has the {what} {name!r}; {_nearest(name, facet, what)}")
    return facet.papers_with(sorted({number for found in numbers.values() for number in found}))


def _of_years(wanted: Filter, facets: Facets) -> Ordinals:
    years = facets.years
    since = NO_YEAR + 1 if wanted.since is None else wanted.since
    until = np.iinfo(years.dtype).max if wanted.until is None else wanted.until
    more_papers, more_years = facets.more_years.T
    papers = np.union1d(
        np.flatnonzero((years >= since) & (years <= until)),
        more_papers[(more_years >= since) & (more_years <= until)],
    )
    if not len(papers):
        known = years[years != NO_YEAR]
        have = (
            f"its papers are from {known.min()} to {known.max()}"
            if len(known)
            else "its papers have no years"
        )
        raise FilterError(f"no paper in the index is {wanted.text}: {have}; ask for other years")
    return papers


def _of_statuses(wanted: Sequence[str], facets: Facets) -> Ordinals:
    return facets.statuses.papers_with(
        n for n, status in enumerate(facets.statuses.values) if status in wanted
    )


def authors_like(wanted: str, authors: Facet) -> list[int]:
    """Return the indices of the author names that may be this person."""
    words = name_words(wanted)
    if not words or words[-1] not in authors.text:
        return []
    keys = authors.keys
    return [n for n, key in enumerate(keys) if words[-1] in key and may_be(words, key.split())]


def venues_like(wanted: str, venues: Facet) -> list[int]:
    """Return the indices of the venues of this name; if there is none, of those whose names contain it."""
    names = _venue_names(wanted)
    cores = [_without_year(key) for key in venues.keys]
    exact = [n for n, core in enumerate(cores) if core in names]
    if exact:
        return exact
    return [n for n, core in enumerate(cores) if any(name and f" {name} " in f" {core} " for name in names)]


def is_venue(name: str, venues: Facet) -> bool:
    """Return whether a venue has exactly this name, apart from a year."""
    names = _venue_names(name) - {""}
    return any(_without_year(key) in names for key in venues.keys)


def _venue_names(wanted: str) -> set[str]:
    core = _without_year(normalise_text(wanted))
    return {core}.union(*(names for names in VENUE_NAMES if core in names))


def _without_year(venue: str) -> str:
    return " ".join(YEAR.sub(" ", venue).split())


def _files_like(wanted: str, files: Facet) -> list[int]:
    """Return the indices of the paths that contain a text; if none does, of those that match it as a pattern.

    Brackets first count as part of a name, and a pattern may begin at any folder.
    """
    text = _path_key(wanted)
    paths = [_path_key(path) for path in files.keys]
    containing = [n for n, path in enumerate(paths) if text in path]
    return containing or _matching(text.replace("[", "[[]"), paths) or _matching(text, paths)


def _matching(pattern: str, paths: Sequence[str]) -> list[int]:
    patterns = (pattern, f"*/{pattern}")
    return [n for n, path in enumerate(paths) if any(fnmatchcase(path, one) for one in patterns)]


def _path_key(path: str) -> str:
    """Return a path as it is compared: in NFC, because some systems decompose accents."""
    return unicodedata.normalize("NFC", path.removeprefix("./").casefold())


def _nearest(name: str, facet: Facet, what: str) -> str:
    """Return, in words, the values of the index that are nearest to one that it lacks."""
    if not facet.values:
        return f"its papers have no {what}s"
    near = _near_names(name, facet.keys) if what == "author" else _close(normalise_text(name), facet.keys)
    if not near and len(facet.values) <= FEW_VALUES:
        near = list(range(len(facet.values)))
    shown = ", ".join(facet.values[n] for n in near)
    return f"its nearest are {shown}" if near else "none is like it: check the spelling"


def _near_names(wanted: str, keys: Sequence[str]) -> list[int]:
    """Return the indices of names like one that the index lacks: same family name, or same first letter of it."""
    words = name_words(wanted)
    if not words:
        return []
    family = [n for n, key in enumerate(keys) if words[-1] in key.split()]
    alike = family or [n for n, key in enumerate(keys) if f" {words[-1][0]}" in key]
    return _close(" ".join(words), keys, alike) or family[:NEAREST]


def _close(wanted: str, keys: Sequence[str], among: Sequence[int] | None = None) -> list[int]:
    numbers = {keys[n]: n for n in (range(len(keys)) if among is None else among)}
    return [numbers[key] for key in get_close_matches(wanted, numbers, n=NEAREST, cutoff=CLOSE)]
