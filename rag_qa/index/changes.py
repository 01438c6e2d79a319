"""What an update would change: read the sources, merge all records again, compare the papers with the stored ones.

Knows nothing of passages and vectors.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from rag_qa.corpus.limits import DEFAULT, Limits
from rag_qa.corpus.merging import merge_papers
from rag_qa.corpus.placeholders import repeated_texts
from rag_qa.corpus.reading import SourceReading, read_source
from rag_qa.corpus.sources import STDIN, SourceFile, source_exists
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import Store
from rag_qa.types import Paper, Skipped
from rag_qa.version import __version__

# The paper id of a record that becomes no paper, because its text describes none.
NO_PAPER = ""
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

    `records` are all records by source and record id, and `paper_ids` names the paper that each becomes. `papers` are
    the papers after the run, by id, and `before` the stored papers with the same ids. The lists hold ids of papers:
    `moved` ones differ only in where they were found. `dropped` are paths of sources to forget.
    """

    records: dict[str, dict[str, Paper]]
    readings: dict[str, Fresh]
    dropped: list[str]
    papers: dict[str, Paper]
    before: dict[str, Paper]
    paper_ids: dict[str, dict[str, str]]
    added: list[str]
    changed: list[str]
    moved: list[str]
    removed: list[str]

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
    same_version = manifest is not None and manifest.rag_qa_version == __version__
    known = store.source_digests() if same_version else {}
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
    records = _stored_records(store, without=set(dropped))
    readings: dict[str, Fresh] = {}
    for number, (path, file) in enumerate(unread.items(), 1):
        reading = read_source(file, format, limits)
        now = _by_record_id(reading.papers)
        kept = {} if prune and not file.problem else _kept(records.get(path, {}), now, reading)
        digest = "" if kept else _digest(file, format, limits)
        readings[path] = Fresh(list(now), list(reading.skipped), digest, reading.encoding)
        records[path] = now | kept
        progress("reading", number, len(unread))
    flat = [paper for group in records.values() for paper in group.values()]
    progress("merging", 0, len(flat))
    repeated = repeated_texts(flat)
    usable = [record for record in flat if record.abstract not in repeated] if repeated else flat
    papers = {paper.id: paper for paper in merge_papers(usable)}
    progress("merging", len(flat), len(flat))
    return _compare(store, records, readings, dropped, papers)


def _stored_records(store: Store, without: set[str]) -> dict[str, dict[str, Paper]]:
    records: dict[str, dict[str, Paper]] = {}
    for source, key, paper in store.records():
        if source not in without:
            records.setdefault(source, {})[key] = paper
    return records


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


def _compare(
    store: Store,
    records: dict[str, dict[str, Paper]],
    readings: dict[str, Fresh],
    dropped: list[str],
    papers: dict[str, Paper],
) -> Change:
    before = store.papers_by_id(list(papers))
    paper_of = {(s.path, s.record): paper.id for paper in papers.values() for s in paper.sources}
    paper_ids = {
        source: {
            key: paper_of.get((r.sources[0].path, r.sources[0].record), NO_PAPER) for key, r in group.items()
        }
        for source, group in records.items()
    }
    differ = [key for key, paper in before.items() if paper != papers[key]]
    moved = [key for key in differ if _content(before[key]) == _content(papers[key])]
    return Change(
        records=records,
        readings=readings,
        dropped=dropped,
        papers=papers,
        before=before,
        paper_ids=paper_ids,
        added=[key for key in papers if key not in before],
        changed=sorted(set(differ) - set(moved)),
        moved=moved,
        removed=sorted(store.paper_ids() - papers.keys()),
    )


def _content(paper: Paper) -> Paper:
    """Return a paper without its sources."""
    return paper.model_copy(update={"sources": ()})
