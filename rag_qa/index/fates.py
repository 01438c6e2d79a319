"""What became of each record in the files of a run: one fate for each record, so that the report adds up."""

from collections.abc import Callable, Mapping, Sequence

from rag_qa.corpus.merging import why_merged
from rag_qa.corpus.sources import SourceFile
from rag_qa.index.changes import Change
from rag_qa.index.store import Store
from rag_qa.index.touched import NO_PAPER
from rag_qa.types import Fate, FateName, Paper, Skipped

# The path of a source, and the number of a record in it.
Location = tuple[str, int]
# A record's number, its id in the source, and its paper.
RecordFound = tuple[int, str, str]
REPEATED = "many records with other titles have the same abstract, so it describes none of them"


def fates_of(change: Change, files: Sequence[SourceFile], store: Store) -> list[Fate]:
    """Return the fate of every record that the files hold now, in the order of files and records.

    The first record of a paper is added, changed or unchanged, or it is merged into a paper that the index has from
    another file. The others are merged.
    """
    found = {file.path: _records_found(change, store, file.path) for file in files}
    skips = {
        path: change.readings[path].skips if path in change.readings else store.source_skips(path)
        for path in found
    }
    here = {(path, number): key for path, records in found.items() for number, key, _ in records}
    changed = frozenset(change.changed)
    touched = {
        (body.sources[0].path, body.sources[0].record): body
        for group in change.records.values()
        for body in group.values()
    }

    def record(location: Location) -> Paper:
        return touched.get(location) or store.record(location[0], here[location])

    def first(location: Location, paper_id: str) -> Fate:
        if paper_id not in change.papers:
            return Fate(path=location[0], record=location[1], fate="unchanged", paper_id=paper_id)
        before = change.before.get(paper_id)
        if before is None or all(source.path != location[0] for source in before.sources):
            locations = ((source.path, source.record) for source in change.papers[paper_id].sources)
            elsewhere = next((other for other in locations if other not in here), None)
            if elsewhere is not None:
                return merged(location, paper_id, elsewhere)
        fate: FateName = "added" if before is None else "changed" if paper_id in changed else "unchanged"
        return Fate(path=location[0], record=location[1], fate=fate, paper_id=paper_id)

    def merged(location: Location, paper_id: str, other: Location) -> Fate:
        (why,) = why_merged([record(other), record(location)])
        return _merged(location, paper_id, other, why)

    return _collect(found, skips, first, merged)


def unchanged_fates(store: Store, files: Sequence[SourceFile]) -> list[Fate]:
    """Return the fates of the records of files that have not changed since they were indexed."""

    def first(location: Location, paper_id: str) -> Fate:
        return Fate(path=location[0], record=location[1], fate="unchanged", paper_id=paper_id)

    found = {file.path: store.record_papers(file.path) for file in files}
    skips = {path: store.source_skips(path) for path in found}
    return _collect(found, skips, first, _merged)


def _records_found(change: Change, store: Store, path: str) -> list[RecordFound]:
    """Return the records that a source has now, without the ones kept from before, in the order of their numbers."""
    ids, records = change.paper_ids.get(path, {}), change.records.get(path, {})
    if path not in change.readings:
        return [(number, key, ids.get(key, paper_id)) for number, key, paper_id in store.record_papers(path)]
    keys = change.readings[path].keys
    return sorted((records[key].sources[0].record, key, ids[key]) for key in keys)


def _collect(
    found: Mapping[str, Sequence[RecordFound]],
    skips: Mapping[str, Sequence[Skipped]],
    first: Callable[[Location, str], Fate],
    merged: Callable[[Location, str, Location], Fate],
) -> list[Fate]:
    """Return the fates of numbered records, from `first` for the first record of a paper and `merged` for others."""
    first_of: dict[str, Location] = {}
    fates: list[Fate] = []
    for path, records in found.items():
        own = [
            Fate(path=skip.path, record=skip.record, fate="skipped", reason=skip.reason)
            for skip in skips[path]
        ]
        for number, _, paper_id in records:
            location = path, number
            if paper_id == NO_PAPER:
                own.append(Fate(path=path, record=number, fate="skipped", reason=REPEATED))
            elif first_of.setdefault(paper_id, location) == location:
                own.append(first(location, paper_id))
            else:
                own.append(merged(location, paper_id, first_of[paper_id]))
        fates += sorted(own, key=lambda fate: fate.record)
    return fates


def _merged(location: Location, paper_id: str, other: Location, why: str = "") -> Fate:
    where = f"record {other[1]}" if other[0] == location[0] else f"record {other[1]} of {other[0]}"
    reason = f"the same paper as {where}" + (f": {why}" if why else "")
    return Fate(path=location[0], record=location[1], fate="merged", paper_id=paper_id, reason=reason)
