"""What an update would change: read the sources, merge the records that it touches, compare with the stored papers.

A record is touched if it is new, changed or gone, or if links lead to it from one that is (rag_qa.corpus.links). The
papers are the same as if all records were merged again. Knows nothing of passages and vectors.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from rag_qa.corpus.limits import DEFAULT, Limits
from rag_qa.corpus.reading import SourceReading, read_source
from rag_qa.corpus.sources import STDIN, SourceFile, source_exists
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import RecordRow, Store
from rag_qa.index.touched import Merged, Records
from rag_qa.types import Paper, Skipped
from rag_qa.version import __version__

# What separates the limits from the hash in the digest of a source.
_WITHIN = " within "


class Progress(Protocol):
    """A function that shows how far a run has come."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take the name of a stage, the units done and the units in total."""
        ...


class Fresh(NamedTuple):
    """What a source holds now: record ids, skipped records, its digest, and its encoding if that is not UTF-8.

    The digest is empty if the index keeps records that the source no longer has; then it is read again in every run.
    """

    keys: list[str]
    skips: list[Skipped]
    digest: str
    encoding: str | None


class Change(NamedTuple):
    """What a run would change.

    `records` are the records of the sources read now and the others that are touched, by source and record id;
    `paper_ids` names the paper that each becomes. `papers` are the touched papers after the run, by id, and `before`
    the stored papers with the same ids. The lists of ids: `moved` papers differ only in where they were found.
    `dropped` are paths of sources to forget, `gone` the sources and ids of records to forget, `written` the records to
    write, with their links. `total` is the number of papers after the run.
    """

    records: dict[str, dict[str, Paper]]
    readings: dict[str, Fresh]
    dropped: list[str]
    gone: list[tuple[str, str]]
    written: list[tuple[RecordRow, Paper]]
    papers: dict[str, Paper]
    before: dict[str, Paper]
    paper_ids: dict[str, dict[str, str]]
    added: list[str]
    changed: list[str]
    moved: list[str]
    removed: list[str]
    total: int

    @property
    def removed_count(self) -> int:
        """The number of removed papers, without those that another paper now has as an alias."""
        aliases = (
            {alias for paper in self.papers.values() for alias in paper.aliases} if self.removed else set()
        )
        return sum(paper_id not in aliases for paper_id in self.removed)

    @property
    def encodings(self) -> dict[str, str]:
        """The encoding of each file read now that is not UTF-8, by path."""
        return {path: now.encoding for path, now in self.readings.items() if now.encoding}


def gone_sources(store: Store) -> list[str]:
    """Return the paths of the stored sources whose files no longer exist."""
    return [path for path in store.source_digests() if path != STDIN and not source_exists(path)]


def unread_files(
    store: Store,
    manifest: Manifest | None,
    files: Sequence[SourceFile],
    format: str | None,
    limits: Limits = DEFAULT,
) -> dict[str, SourceFile]:
    """Return the files to read, by path: the changed ones, or all if another version or other limits read them."""
    known = store.source_digests() if _same_version(manifest) else {}
    return {
        file.path: file for file in files if not _was_read(file, known.get(file.path, ""), format, limits)
    }


def _was_read(file: SourceFile, known: str, format: str | None, limits: Limits) -> bool:
    """Return whether a file was read with this content and these limits, and in the given format if there is one."""
    read, _, within = known.partition(_WITHIN)
    same = read == _read_as(file, format) or (format is None and read.startswith(f"{file.digest} "))
    return same and within == _within(limits)


def _digest(file: SourceFile, format: str | None, limits: Limits) -> str:
    within = _within(limits)
    return _read_as(file, format) + (_WITHIN + within if within else "")


def _read_as(file: SourceFile, format: str | None) -> str:
    return file.digest if format is None else f"{file.digest} read as {format}"


def _within(limits: Limits) -> str:
    """Return the limits that a user may set, as part of a digest; "" for the default ones."""
    return "" if limits == DEFAULT else f"{limits.file_bytes} bytes, {limits.abstract_characters} characters"


def find_change(
    store: Store,
    manifest: Manifest | None,
    unread: dict[str, SourceFile],
    dropped: list[str],
    format: str | None,
    limits: Limits,
    prune: bool,
    progress: Progress,
) -> Change:
    """Read the unread files, merge their records with the stored ones, and compare the papers.

    With `prune`, records that a file no longer has are left out. Raises SourceError.
    """
    stored: dict[str, dict[str, Paper]] = {path: store.records_of(path) for path in unread}
    records: dict[str, dict[str, Paper]] = {}
    readings: dict[str, Fresh] = {}
    for number, (path, file) in enumerate(unread.items(), 1):
        reading = read_source(file, format, limits)
        now = _by_record_id(reading.papers)
        kept = {} if prune and not file.problem else _kept(stored[path], now, reading)
        digest = "" if kept else _digest(file, format, limits)
        readings[path] = Fresh(list(now), list(reading.skipped), digest, reading.encoding)
        records[path] = now | kept
        progress("reading", number, len(unread))
    compared = Records.compare(store, stored, records, dropped)
    progress("merging", 0, len(compared.fresh))
    merged, before = _merge(store, compared, stored, touched_only=_same_version(manifest))
    progress("merging", len(compared.fresh), len(compared.fresh))
    return _change(store, compared, merged, before, records, readings, dropped)


def _merge(
    store: Store, records: Records, stored: Mapping[str, Mapping[str, Paper]], *, touched_only: bool
) -> tuple[Merged, dict[str, Paper]]:
    """Return the touched records merged, and the stored papers with their ids or former ids.

    All records are merged again if not all have links, or if an id is that of a paper that is not touched.
    """
    touched = records.touched() if touched_only else None
    if touched is not None:
        bodies = [stored.get(row.source, {}).get(row.id) or store.record(*row[:2]) for row in touched]
        merged = Merged.merge(touched, touched, bodies, records)
        former = {row.paper_id for row in (*touched, *records.lost)}
        before = store.papers_by_id(sorted(former | merged.papers.keys()))
        if former >= before.keys():
            return merged, before
    merged = Merged.merge(records.kept, *records.linked_again(store), records)
    return merged, {paper.id: paper for paper in store.papers()}


def _same_version(manifest: Manifest | None) -> bool:
    """Return whether this version of rag_qa, with the same rules, merged the stored papers."""
    return manifest is not None and manifest.rag_qa_version == __version__


def _by_record_id(papers: Sequence[Paper]) -> dict[str, Paper]:
    """Return a source's records by id; a number is added to an id that is taken."""
    records: dict[str, Paper] = {}
    copies: Counter[str] = Counter()
    for paper in papers:
        key = paper.id
        while key in records:
            copies[paper.id] += 1
            key = f"{paper.id} ({copies[paper.id] + 1})"
        records[key] = paper
    return records


def _kept(before: Mapping[str, Paper], now: Mapping[str, Paper], reading: SourceReading) -> dict[str, Paper]:
    """Return the stored records that a source no longer has, numbered after its last so that no number repeats."""
    numbers = [paper.sources[0].record for paper in now.values()] + [skip.record for skip in reading.skipped]
    last = max(numbers, default=0)
    gone = [(key, paper) for key, paper in before.items() if key not in now]
    return {key: _renumber(paper, last + n) for n, (key, paper) in enumerate(gone, 1)}


def _renumber(record: Paper, number: int) -> Paper:
    source = record.sources[0].model_copy(update={"record": number})
    return record.model_copy(update={"sources": (source,)})


def _change(
    store: Store,
    compared: Records,
    merged: Merged,
    before: dict[str, Paper],
    records: dict[str, dict[str, Paper]],
    readings: dict[str, Fresh],
    dropped: list[str],
) -> Change:
    papers = merged.papers
    records = {source: dict(group) for source, group in records.items()}
    paper_ids: dict[str, dict[str, str]] = {source: {} for source in records}
    for row in compared.kept:
        if row.source in paper_ids:
            paper_ids[row.source][row.id] = row.paper_id
    for row, body in zip(merged.rows, merged.bodies, strict=True):
        records.setdefault(row.source, {})[row.id] = body
        paper_ids.setdefault(row.source, {})[row.id] = row.paper_id
    removed = sorted(before.keys() - papers.keys())
    same_ids = {key: paper for key, paper in before.items() if key in papers}
    differ = [key for key, paper in same_ids.items() if paper != papers[key]]
    moved = [key for key in differ if _content(before[key]) == _content(papers[key])]
    added = [key for key in papers if key not in before]
    return Change(
        records=records,
        readings=readings,
        dropped=dropped,
        gone=compared.gone(),
        written=merged.to_write(),
        papers=papers,
        before=same_ids,
        paper_ids=paper_ids,
        added=added,
        changed=sorted(set(differ) - set(moved)),
        moved=moved,
        removed=removed,
        total=store.count("papers") + len(added) - len(removed),
    )


def _content(paper: Paper) -> Paper:
    """Return a paper without its sources."""
    return paper.model_copy(update={"sources": ()})
