"""What became of each record of the files of a run: one fate a record, so that a run adds up."""

from collections.abc import Iterable, Iterator, Sequence

from rag_qa.corpus.sources import SourceFile
from rag_qa.index.changes import Change
from rag_qa.index.store import Store
from rag_qa.types import Fate, FateName, Skipped

Place = tuple[str, int]


def fates_of(change: Change, files: Sequence[SourceFile], store: Store) -> list[Fate]:
    """Return the fate of every record that the files hold now, in the order of the files and of their records.

    The first record of a paper stands for it: it is added, changed or unchanged, or merged into a paper that the
    index has from elsewhere. All further ones are merged.
    """
    found = {file.path: _records_found(change, file.path) for file in files}
    here = {(path, record) for path, records in found.items() for record, _ in records}
    changed = frozenset(change.changed)
    standing: dict[str, Place] = {}
    fates: list[Fate] = []
    for path, records in found.items():
        taken = [
            _merged((path, record), paper_id, standing[paper_id])
            if standing.setdefault(paper_id, (path, record)) != (path, record)
            else _first_fate(change, changed, here, (path, record), paper_id)
            for record, paper_id in records
        ]
        fates += _in_order([*taken, *_skipped(skips_of(change, path, store))])
    return fates


def unchanged_fates(store: Store, files: Sequence[SourceFile]) -> list[Fate]:
    """Return the fates of the records of files that are as the index knows them."""
    standing: dict[str, Place] = {}
    fates: list[Fate] = []
    for file in files:
        taken = [
            Fate(path=file.path, record=record, fate="unchanged", paper_id=paper_id)
            if standing.setdefault(paper_id, (file.path, record)) == (file.path, record)
            else _merged((file.path, record), paper_id, standing[paper_id])
            for record, paper_id in store.places_of_source(file.path)
        ]
        fates += _in_order([*taken, *_skipped(store.source_skips(file.path))])
    return fates


def skips_of(change: Change, path: str, store: Store) -> list[Skipped]:
    """Return what a source holds that was not taken."""
    return change.readings[path].skips if path in change.readings else store.source_skips(path)


def _records_found(change: Change, path: str) -> list[tuple[int, str]]:
    """Return number and paper of each record that a source holds now, without those kept that have gone."""
    ids, records = change.paper_ids.get(path, {}), change.records.get(path, {})
    keys = change.readings[path].keys if path in change.readings else ids
    return sorted((records[key].sources[0].record, ids[key]) for key in keys)


def _first_fate(
    change: Change, changed: frozenset[str], here: set[Place], place: Place, paper_id: str
) -> Fate:
    before = change.before.get(paper_id)
    if before is None or all(source.path != place[0] for source in before.sources):
        places = ((source.path, source.record) for source in change.papers[paper_id].sources)
        elsewhere = next((other for other in places if other not in here), None)
        if elsewhere is not None:
            return _merged(place, paper_id, elsewhere)
    fate: FateName = "added" if before is None else "changed" if paper_id in changed else "unchanged"
    return Fate(path=place[0], record=place[1], fate=fate, paper_id=paper_id)


def _merged(place: Place, paper_id: str, other: Place) -> Fate:
    where = f"record {other[1]}" if other[0] == place[0] else f"record {other[1]} of {other[0]}"
    return Fate(
        path=place[0], record=place[1], fate="merged", paper_id=paper_id, reason=f"the same paper as {where}"
    )


def _skipped(skips: Iterable[Skipped]) -> Iterator[Fate]:
    """Yield the fates of records that were not taken."""
    return (Fate(path=s.path, record=s.record, fate="skipped", reason=s.reason) for s in skips)


def _in_order(fates: list[Fate]) -> list[Fate]:
    return sorted(fates, key=lambda fate: fate.record)
