"""Years, venues, authors, sources and statuses of the papers, to filter them without reading them.

Built from the store. Papers go by their numbers in the order of ids (`Ordinals`).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_qa.corpus.ids import normalise_text
from rag_qa.corpus.names import name_words
from rag_qa.index.checksums import CheckedArray, open_array, read_array, read_json
from rag_qa.index.exact import Ordinals
from rag_qa.types import Paper

YEARS = "years.npy"
MORE_YEARS = "more-years.npy"
NO_YEAR = 0
# How the values of each facet are compared.
FACETS: dict[str, Callable[[str], str]] = {
    "venues": normalise_text,
    "authors": lambda name: " ".join(name_words(name)),
    "files": str.casefold,
    "statuses": str,
}
# The papers that have each value, by facet.
Found = dict[str, dict[str, list[int]]]


def build_facets(folder: Path, papers: Iterable[Paper]) -> None:
    """Write the facets of the papers into an empty folder; the papers come in the order of their ids."""
    years: list[int] = []
    more_years: list[tuple[int, int]] = []
    found: Found = {name: defaultdict(list) for name in FACETS}
    for ordinal, paper in enumerate(papers):
        years.append(paper.year or NO_YEAR)
        more_years += _more_years(ordinal, paper)
        _add(found, ordinal, paper)
    _write_years(folder, np.array(years, dtype=np.int32), more_years)
    for name in FACETS:
        _write(folder, name, found[name], {})


def update_facets(folder: Path, before: Path, moved: Ordinals, fresh: Mapping[int, Paper]) -> None:
    """Write what `build_facets` would, from the facets before and the papers that they lack.

    `moved` holds the new number of each paper before, -1 if it is gone or fresh; `fresh` papers go by new numbers.
    """
    old = Facets(before)
    kept = moved >= 0
    years = np.zeros(int(kept.sum()) + len(fresh), dtype=np.int32)
    years[moved[kept]] = old.years[kept]
    more_years = [(int(moved[n]), int(year)) for n, year in old.more_years if kept[n]]
    found: Found = {name: _found_before(Facet(before, name), moved) for name in FACETS}
    for ordinal, paper in fresh.items():
        years[ordinal] = paper.year or NO_YEAR
        more_years += _more_years(ordinal, paper)
        _add(found, ordinal, paper)
    _write_years(folder, years, sorted(more_years, key=lambda row: row[0]))
    for name in FACETS:
        facet = Facet(before, name)
        used = {value: sorted(papers) for value, papers in found[name].items() if papers}
        _write(folder, name, used, dict(zip(facet.values, facet.keys, strict=True)))


def _found_before(facet: "Facet", moved: Ordinals) -> dict[str, list[int]]:
    """Return the new numbers of the papers that stay, by value."""
    found: dict[str, list[int]] = defaultdict(list)
    papers, ends = moved[facet._places[:]], facet._ends[:].tolist()
    kept = np.concatenate([[0], np.cumsum(papers >= 0)])[ends].tolist()
    staying = papers[papers >= 0].tolist()
    found.update((value, staying[kept[n] : kept[n + 1]]) for n, value in enumerate(facet.values))
    return found


def _more_years(ordinal: int, paper: Paper) -> list[tuple[int, int]]:
    return [(ordinal, version.year) for version in paper.versions if version.year]


def _add(found: Found, ordinal: int, paper: Paper) -> None:
    """Add a paper to the values that it has."""
    venues = (paper.venue, *(version.venue for version in paper.versions))
    values = {
        "venues": [venue for venue in venues if venue],
        "authors": paper.authors,
        "files": [source.path for source in paper.sources],
        "statuses": [paper.status] if paper.status else [],
    }
    for name in FACETS:
        for value in dict.fromkeys(values[name]):
            found[name][value].append(ordinal)


def _write_years(folder: Path, years: NDArray[np.int32], more_years: Sequence[tuple[int, int]]) -> None:
    np.save(folder / YEARS, years)
    np.save(folder / MORE_YEARS, np.array(more_years, dtype=np.int64).reshape(-1, 2))


def _write(folder: Path, name: str, found: Mapping[str, list[int]], known: Mapping[str, str]) -> None:
    """Write the papers of each value; `known` are the keys of values that were computed before."""
    values = sorted(found)
    (folder / f"{name}.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    keys = [known[value] if value in known else FACETS[name](value) for value in values]
    (folder / f"{name}-keys.json").write_text(json.dumps(keys, ensure_ascii=False), encoding="utf-8")
    ends = np.cumsum([0, *(len(found[value]) for value in values)], dtype=np.int64)
    np.save(folder / f"{name}-ends.npy", ends)
    papers = [ordinal for value in values for ordinal in found[value]]
    np.save(folder / f"{name}-places.npy", np.array(papers, dtype=np.int64))


class Facet:
    """The values of one property, and the papers that have each."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name

    @cached_property
    def values(self) -> list[str]:
        """The distinct values, sorted."""
        return list(read_json(self._folder, f"{self._name}.json"))

    @cached_property
    def keys(self) -> list[str]:
        """The values as they are compared, in the same order: without case, and without accents in names and venues."""
        return list(read_json(self._folder, f"{self._name}-keys.json"))

    @cached_property
    def text(self) -> str:
        """All keys in one string: a quick test whether any of them can match."""
        return "\n".join(self.keys)

    def papers_with(self, numbers: Iterable[int]) -> Ordinals:
        """Return the papers that have any of some values, in order. A value goes by its index in `values`."""
        ends, places = self._ends, self._places
        chosen = [places[ends[n] : ends[n + 1]] for n in numbers]
        return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *chosen]))

    @cached_property
    def _ends(self) -> CheckedArray:
        return open_array(self._folder, f"{self._name}-ends.npy")

    @cached_property
    def _places(self) -> CheckedArray:
        return open_array(self._folder, f"{self._name}-places.npy")


class Facets:
    """What the papers of an index can be filtered by."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.venues = Facet(folder, "venues")
        self.authors = Facet(folder, "authors")
        self.files = Facet(folder, "files")
        self.statuses = Facet(folder, "statuses")

    @cached_property
    def years(self) -> NDArray[np.int32]:
        """Each paper's year, or `NO_YEAR`; shape (papers,)."""
        return read_array(self._folder, YEARS)

    @cached_property
    def more_years(self) -> NDArray[np.int64]:
        """The years of other versions, such as preprints; shape (n, 2), each row a paper's ordinal and a year."""
        return read_array(self._folder, MORE_YEARS)
