"""Sources → index: read, merge, cut, embed, then commit all of it at once.

Reading and merging are done again after an interruption; embedding, which takes nearly all the time, is
committed batch by batch and never done twice for the same text.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from rag_qa.backends.embedding import open_embedder
from rag_qa.corpus.merging import merge_papers
from rag_qa.corpus.passages import cut_passages, embedding_text
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import SourceFile, expand_sources
from rag_qa.errors import IndexMismatchError, SkippedRecordsError
from rag_qa.index.derived import build_derived, derived_folder, drop_other_generations
from rag_qa.index.lock import writing
from rag_qa.index.manifest import PASSAGE_RULES, Counts, Manifest, check_embedder
from rag_qa.index.store import Store, StoredPassage
from rag_qa.protocols import Embedder
from rag_qa.settings import Settings
from rag_qa.types import IndexReport, Paper, Skipped
from rag_qa.version import __version__

EMBED_CHUNK = 512
MAX_SHOWN_SKIPS = 5


class Progress(Protocol):
    """Is told how far a stage has come."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


class Change(NamedTuple):
    """What a run would change: every record by source, the papers they make, and how these differ from before."""

    records: dict[str, dict[str, Paper]]
    read: dict[str, SourceFile]
    skips: dict[str, list[Skipped]]
    dropped: list[str]
    papers: dict[str, Paper]
    paper_ids: dict[str, dict[str, str]]
    added: list[str]
    changed: list[str]
    removed: list[str]


def build_index(
    sources: Sequence[str | Path],
    index: str | Path,
    *,
    settings: Settings | None = None,
    embedder: Embedder | None = None,
    format: str | None = None,
    prune: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> IndexReport:
    """Bring an index up to date with its sources and report what that took.

    The embedder is the one given, else the one that the settings name; it loads when there is a text to embed.
    With `prune`, sources and records that have gone are removed; without it they stay. With `dry_run` nothing
    is written. Raises SourceError, SkippedRecordsError (`strict`), IndexLockedError, IndexMismatchError,
    ModelNotFoundError.
    """
    embedder = embedder or open_embedder(settings or Settings())
    folder = Path(index)
    tell = progress or _say_nothing
    started = time.perf_counter()
    files = expand_sources(sources, skip=[folder])
    with writing(folder):
        store = Store.create(folder)
        try:
            manifest = _compatible_manifest(store, embedder)
            if manifest and _nothing_to_do(store, manifest, files, prune):
                return _unchanged_report(store, manifest, files, strict, started)
            change = _find_change(store, files, format, prune, tell)
            _check_strict(strict, _skips_of(change, files, store))
            embedded = 0
            if not dry_run:
                embedded = _apply(store, change, manifest, embedder, tell)
            return _report(change, files, store, embedded, started)
        finally:
            store.close()


def _compatible_manifest(store: Store, embedder: Embedder) -> Manifest | None:
    manifest = store.manifest()
    if manifest is None:
        return None
    check_embedder(manifest, embedder.spec, str(store.folder))
    if manifest.passage_rules != PASSAGE_RULES:
        raise IndexMismatchError(
            f"{store.folder} was cut into passages by other rules; build a new index with "
            "`rag-qa index SOURCE --index NEW_FOLDER`"
        )
    return manifest


# --- what has changed


def _nothing_to_do(store: Store, manifest: Manifest, files: Sequence[SourceFile], prune: bool) -> bool:
    known = store.source_digests()
    same = all(known.get(file.path) == file.digest for file in files)
    derived = derived_folder(store.folder, manifest.generation).is_dir()
    return same and derived and not (prune and _gone(known))


def _gone(paths: Mapping[str, str] | Sequence[str]) -> list[str]:
    return [path for path in paths if path != "-" and not Path(path).exists()]


def _find_change(
    store: Store, files: Sequence[SourceFile], format: str | None, prune: bool, tell: Progress
) -> Change:
    known = store.source_digests()
    dropped = _gone(known) if prune else []
    read = {file.path: file for file in files if known.get(file.path) != file.digest}
    records = _stored_records(store, without=set(dropped))
    skips: dict[str, list[Skipped]] = {}
    for number, file in enumerate(read.values(), 1):
        reading = read_source(file, format)
        skips[file.path] = list(reading.skipped)
        kept = {} if prune else records.get(file.path, {})
        records[file.path] = kept | _by_record_id(reading.papers)
        tell("reading", number, len(read))
    flat = [paper for group in records.values() for paper in group.values()]
    tell("merging", 0, len(flat))
    papers = {paper.id: paper for paper in merge_papers(flat)}
    tell("merging", len(flat), len(flat))
    return _compare(store, records, read, skips, dropped, papers)


def _stored_records(store: Store, without: set[str]) -> dict[str, dict[str, Paper]]:
    records: dict[str, dict[str, Paper]] = {}
    for source, key, paper in store.records():
        if source not in without:
            records.setdefault(source, {})[key] = paper
    return records


def _by_record_id(papers: Sequence[Paper]) -> dict[str, Paper]:
    """Key a source's records by their ids; the number tells apart those that share one."""
    records: dict[str, Paper] = {}
    for paper in papers:
        key = paper.id
        copy = 1
        while key in records:
            copy += 1
            key = f"{paper.id} ({copy})"
        records[key] = paper
    return records


def _compare(
    store: Store,
    records: dict[str, dict[str, Paper]],
    read: dict[str, SourceFile],
    skips: dict[str, list[Skipped]],
    dropped: list[str],
    papers: dict[str, Paper],
) -> Change:
    before = store.paper_bodies()
    paper_of = {(s.path, s.record): paper.id for paper in papers.values() for s in paper.sources}
    paper_ids = {
        source: {key: paper_of[record.sources[0].path, record.sources[0].record] for key, record in group.items()}
        for source, group in records.items()
    }
    return Change(
        records=records,
        read=read,
        skips=skips,
        dropped=dropped,
        papers=papers,
        paper_ids=paper_ids,
        added=[key for key in papers if key not in before],
        changed=[key for key, p in papers.items() if key in before and before[key] != p.model_dump_json()],
        removed=[key for key in before if key not in papers],
    )


# --- applying it


def _apply(
    store: Store, change: Change, manifest: Manifest | None, embedder: Embedder, tell: Progress
) -> int:
    """Embed what is new, then write everything in one transaction; returns the number of texts embedded."""
    fresh = [change.papers[key] for key in change.added + change.changed]
    tell("cutting", 0, len(fresh))
    passages = list(_stored_passages(fresh, embedder))
    tell("cutting", len(fresh), len(fresh))
    embedded = _embed_missing(store, fresh, passages, embedder, tell)
    generation = (manifest.generation if manifest else 0) + 1
    tell("writing", 0, 1)
    with store.transaction():
        _write(store, change, passages)
        store.write_manifest(_manifest(store, generation, embedder))
        build_derived(store, generation)
    drop_other_generations(store.folder, generation)
    tell("writing", 1, 1)
    return embedded


def _stored_passages(papers: Sequence[Paper], embedder: Embedder) -> Iterator[StoredPassage]:
    titles = {paper.id: paper.title for paper in papers}
    for passage in cut_passages(papers, embedder.count_tokens, embedder.spec.max_tokens):
        text = embedding_text(titles[passage.paper_id], passage.text)
        yield StoredPassage(passage, _vector_key(text, embedder))


def _vector_key(text: str, embedder: Embedder) -> bytes:
    spec = embedder.spec
    return hashlib.sha256("\x00".join((spec.weights_sha256, spec.document_prompt, text)).encode()).digest()


def _embed_missing(
    store: Store, papers: Sequence[Paper], passages: Sequence[StoredPassage], embedder: Embedder, tell: Progress
) -> int:
    """Embed in chunks of similar length, longest first, and commit each chunk."""
    titles = {paper.id: paper.title for paper in papers}
    missing = store.missing_vectors(key for _, key in passages)
    texts = {key: embedding_text(titles[p.paper_id], p.text) for p, key in passages if key in missing}
    keys = sorted(texts, key=lambda key: len(texts[key]), reverse=True)
    for start in range(0, len(keys), EMBED_CHUNK):
        chunk = keys[start : start + EMBED_CHUNK]
        store.write_vectors(chunk, embedder.encode([texts[key] for key in chunk], role="document"))
        tell("embedding", start + len(chunk), len(keys))
    return len(keys)


def _write(store: Store, change: Change, passages: Sequence[StoredPassage]) -> None:
    for path in change.dropped:
        store.drop_source(path)
    for path, file in change.read.items():
        store.write_source(path, file.digest, change.skips[path])
    for source, group in change.records.items():
        store.replace_records(source, group, change.paper_ids[source])
    for paper_id in change.removed:
        store.delete_paper(paper_id)
    store.replace_papers((change.papers[key] for key in change.added + change.changed), passages)
    store.drop_unused_vectors()


def _manifest(store: Store, generation: int, embedder: Embedder) -> Manifest:
    counts = Counts(**{name: store.count(name) for name in Counts.model_fields})
    return Manifest(
        generation=generation,
        rag_qa_version=__version__,
        embedder=embedder.spec,
        passage_tokens=embedder.spec.max_tokens,
        counts=counts,
    )


# --- telling about it


def _report(
    change: Change, files: Sequence[SourceFile], store: Store, embedded: int, started: float
) -> IndexReport:
    paths = [file.path for file in files]
    read = [paper_id for path in paths for paper_id in change.paper_ids.get(path, {}).values()]
    skips = tuple(_skips_of(change, files, store))
    distinct = set(read)
    return IndexReport(
        read=len(read),
        added=len(change.added),
        changed=len(change.changed),
        merged=len(read) - len(distinct),
        unchanged=len(distinct - set(change.added) - set(change.changed)),
        removed=len(change.removed),
        skipped=len(skips),
        skips=skips,
        embedded=embedded,
        papers=len(change.papers),
        seconds=time.perf_counter() - started,
    )


def _unchanged_report(
    store: Store, manifest: Manifest, files: Sequence[SourceFile], strict: bool, started: float
) -> IndexReport:
    skips = tuple(skip for file in files for skip in store.source_skips(file.path))
    _check_strict(strict, skips)
    read = [paper_id for file in files for paper_id in store.papers_of_source(file.path)]
    return IndexReport(
        read=len(read),
        added=0,
        changed=0,
        merged=len(read) - len(set(read)),
        unchanged=len(set(read)),
        removed=0,
        skipped=len(skips),
        skips=skips,
        embedded=0,
        papers=manifest.counts.papers,
        seconds=time.perf_counter() - started,
    )


def _skips_of(change: Change, files: Sequence[SourceFile], store: Store) -> list[Skipped]:
    return [
        skip
        for file in files
        for skip in (change.skips[file.path] if file.path in change.read else store.source_skips(file.path))
    ]


def _check_strict(strict: bool, skips: Sequence[Skipped]) -> None:
    if strict and skips:
        shown = "; ".join(f"{s.path}, record {s.record}: {s.reason}" for s in skips[:MAX_SHOWN_SKIPS])
        raise SkippedRecordsError(
            f"{len(skips)} records would be skipped ({shown}); mend them, or leave --strict out to skip them"
        )


def _say_nothing(stage: str, done: int, total: int) -> None:
    """Take progress and show nothing."""


