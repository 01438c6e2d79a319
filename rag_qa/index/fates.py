"""What became of each record of the files of a run: one fate a record, so that a run adds up."""

from collections.abc import Callable, Mapping, Sequence

from rag_qa.corpus.merging import why_merged
from rag_qa.corpus.sources import SourceFile
from rag_qa.index.changes import NO_PAPER, Change
from rag_qa.index.store import Store
from rag_qa.types import Fate, FateName, Skipped

Place = tuple[str, int]
REPEATED = "its abstract stands under many other titles, so that it describes none of them"


def fates_of(change: Change, files: Sequence[SourceFile], store: Store) -> list[Fate]:
    """Return the fate of every record that the files hold now, in the order of the files and of their records.

    The first record of a paper stands for it: it is added, changed or unchanged, or merged into a paper that the
    index has from elsewhere. All further ones are merged.
    """
    found = {file.path: _records_found(change, file.path) for file in files}
    skips = {
        path: change.readings[path].skips if path in change.readings else store.source_skips(path)
        for path in found
    }
    here = {(path, number) for path, records in found.items() for number, _ in records}
    changed = frozenset(change.changed)
    read = (record for group in change.records.values() for record in group.values())
    records = {(record.sources[0].path, record.sources[0].record): record for record in read}

    def first(place: Place, paper_id: str) -> Fate:
        before = change.before.get(paper_id)
        if before is None or all(source.path != place[0] for source in before.sources):
            places = ((source.path, source.record) for source in change.papers[paper_id].sources)
            elsewhere = next((other for other in places if other not in here), None)
            if elsewhere is not None:
                return merged(place, paper_id, elsewhere)
        fate: FateName = "added" if before is None else "changed" if paper_id in changed else "unchanged"
        return Fate(path=place[0], record=place[1], fate=fate, paper_id=paper_id)

    def merged(place: Place, paper_id: str, other: Place) -> Fate:
        (why,) = why_merged([records[other], records[place]])
        return _merged(place, paper_id, other, why)

    return _told(found, skips, first, merged)


def unchanged_fates(store: Store, files: Sequence[SourceFile]) -> list[Fate]:
    """Return the fates of the records of files that are as the index knows them."""

    def first(place: Place, paper_id: str) -> Fate:
        return Fate(path=place[0], record=place[1], fate="unchanged", paper_id=paper_id)

    found = {file.path: store.places_of_source(file.path) for file in files}
    skips = {path: store.source_skips(path) for path in found}
    return _told(found, skips, first, _merged)


def _records_found(change: Change, path: str) -> list[tuple[int, str]]:
    """Return number and paper of each record that a source holds now, without those kept that have gone."""
    ids, records = change.paper_ids.get(path, {}), change.records.get(path, {})
    keys = change.readings[path].keys if path in change.readings else ids
    return sorted((records[key].sources[0].record, ids[key]) for key in keys)


def _told(
    found: Mapping[str, Sequence[tuple[int, str]]],
    skips: Mapping[str, Sequence[Skipped]],
    first: Callable[[Place, str], Fate],
    merged: Callable[[Place, str, Place], Fate],
) -> list[Fate]:
    """Return the fates of numbered records, those that stand for their paper told by `first`, others by `merged`."""
    standing: dict[str, Place] = {}
    fates: list[Fate] = []
    for path, records in found.items():
        own = [
            Fate(path=skip.path, record=skip.record, fate="skipped", reason=skip.reason)
            for skip in skips[path]
        ]
        for number, paper_id in records:
            place = path, number
            if paper_id == NO_PAPER:
                own.append(Fate(path=path, record=number, fate="skipped", reason=REPEATED))
            elif standing.setdefault(paper_id, place) == place:
                own.append(first(place, paper_id))
            else:
                own.append(merged(place, paper_id, standing[paper_id]))
        fates += sorted(own, key=lambda fate: fate.record)
    return fates


def _merged(place: Place, paper_id: str, other: Place, why: str = "") -> Fate:
    where = f"record {other[1]}" if other[0] == place[0] else f"record {other[1]} of {other[0]}"
    reason = f"the same paper as {where}" + (f": {why}" if why else "")
    return Fate(path=place[0], record=place[1], fate="merged", paper_id=paper_id, reason=reason)
