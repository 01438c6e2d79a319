"""Sources → index: read, merge, cut, embed, then commit all of it at once.

Reading and merging are done again after an interruption; embedding, which takes nearly all the time, is
committed batch by batch and never done twice for the same text.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import get_args

import numpy as np

from rag_qa.backends.embedding import open_embedder
from rag_qa.corpus.passages import cut_passages, embedding_text
from rag_qa.corpus.sources import SourceFile, expand_sources
from rag_qa.errors import BackendError, IndexMismatchError, SkippedRecordsError
from rag_qa.index.changes import Change, Progress, find_change, gone_sources, unread_files
from rag_qa.index.derived import (
    Update,
    build_derived,
    derived_folder,
    drop_old_generations,
    stamp_matches,
)
from rag_qa.index.fates import fates_of, unchanged_fates
from rag_qa.index.lock import writing
from rag_qa.index.manifest import PASSAGE_RULES, Counts, Manifest, check_embedder
from rag_qa.index.store import Store, StoredPassage
from rag_qa.protocols import Embedder, Matrix
from rag_qa.settings import Settings
from rag_qa.types import Fate, FateName, IndexReport, Paper, Skipped
from rag_qa.version import __version__

EMBED_CHUNK = 512
MAX_SHOWN_SKIPS = 5
NO_ENCODINGS: Mapping[str, str] = {}


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

    The embedder is the one given, else the one that the settings name; it loads when there is a text to
    embed. With `prune`, sources and records that have gone are removed; without it they stay. With `dry_run`
    nothing is written. Raises SourceError, SkippedRecordsError (`strict`), IndexLockedError,
    IndexMismatchError, IndexDamagedError, PaperIndexError, ModelNotFoundError.
    """
    embedder = embedder or open_embedder(settings or Settings())
    folder = Path(index)
    tell = progress or _say_nothing
    started = time.perf_counter()
    files = expand_sources(sources, skip=[folder])
    with _open_store(folder, dry_run) as store:
        manifest = _compatible_manifest(store, embedder)
        dropped = gone_sources(store) if prune else []
        unread = unread_files(store, manifest, files, format)
        if manifest and not unread and not dropped and _derived_sound(store, manifest):
            return _unchanged_report(store, manifest, files, strict, started)
        change = find_change(store, unread, dropped, format, prune, tell)
        fates = fates_of(change, files, store)
        _check_strict(strict, fates)
        embedded = 0 if dry_run else _apply(store, change, manifest, embedder, tell)
        return _report(change, fates, embedded, started)


@contextmanager
def _open_store(folder: Path, dry_run: bool) -> Iterator[Store]:
    """Open the store under the write lock, or for a dry run as it is read."""
    with nullcontext() if dry_run else writing(folder):
        store = Store.open(folder) if dry_run else Store.create(folder)
        try:
            yield store
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
    generation = _next_generation(store, change, manifest)
    tell("writing", 0, 1)
    with store.transaction():
        _write(store, change, passages)
        store.write_manifest(_manifest(store, generation, embedder, manifest))
        if manifest is None or generation != manifest.generation:
            build_derived(store, generation, embedder.spec.dimension, _update(store, change, manifest))
    drop_old_generations(store.folder, generation)
    tell("writing", 1, 1)
    return embedded


def _next_generation(store: Store, change: Change, manifest: Manifest | None) -> int:
    """Return the generation to write: that which stands, where what is searched stays the same."""
    if manifest is None:
        return 1
    differs = bool(change.added or change.changed or change.moved or change.removed)
    return manifest.generation + (differs or not _derived_sound(store, manifest))


def _update(store: Store, change: Change, manifest: Manifest | None) -> Update | None:
    """Return how the papers differ from a generation that can be built upon, None where there is none."""
    if manifest is None or not _derived_sound(store, manifest):
        return None
    before = derived_folder(store.folder, manifest.generation)
    return Update(before, change.removed + change.changed, change.added + change.changed)


def _derived_sound(store: Store, manifest: Manifest) -> bool:
    return stamp_matches(derived_folder(store.folder, manifest.generation))


def _stored_passages(papers: Sequence[Paper], embedder: Embedder) -> Iterator[StoredPassage]:
    titles = {paper.id: paper.title for paper in papers}
    for passage in cut_passages(papers, embedder.count_tokens, embedder.spec.max_tokens):
        text = embedding_text(titles[passage.paper_id], passage.text)
        yield StoredPassage(passage, _vector_key(text, embedder))


def _vector_key(text: str, embedder: Embedder) -> bytes:
    spec = embedder.spec
    return hashlib.sha256("\x00".join((spec.weights_sha256, spec.document_prompt, text)).encode()).digest()


def _embed_missing(
    store: Store,
    papers: Sequence[Paper],
    passages: Sequence[StoredPassage],
    embedder: Embedder,
    tell: Progress,
) -> int:
    """Embed in chunks of equal length in tokens, so that nothing is padded, longest first, and commit each."""
    titles = {paper.id: paper.title for paper in papers}
    missing = store.missing_vectors(key for _, key in passages)
    texts = {key: embedding_text(titles[p.paper_id], p.text) for p, key in passages if key in missing}
    lengths = dict(zip(texts, embedder.count_tokens(list(texts.values())), strict=True))
    keys = sorted(texts, key=lambda key: min(lengths[key], embedder.spec.max_tokens), reverse=True)
    for start in range(0, len(keys), EMBED_CHUNK):
        chunk = keys[start : start + EMBED_CHUNK]
        store.write_vectors(chunk, _embed([texts[key] for key in chunk], embedder))
        tell("embedding", start + len(chunk), len(keys))
    return len(keys)


def _embed(texts: Sequence[str], embedder: Embedder) -> Matrix:
    """Return the vectors, in the form in which they are stored, whoever wrote the embedder."""
    vectors = np.asarray(embedder.encode(texts, role="document"), dtype=np.float32)
    wanted = (len(texts), embedder.spec.dimension)
    if vectors.shape != wanted or not np.isfinite(vectors).all():
        raise BackendError(
            f"the embedder {embedder.spec.name} returned vectors of shape {vectors.shape} for {wanted}, or not "
            "all of them finite; check its folder or choose another with RAG_QA_EMBEDDER"
        )
    return vectors


def _write(store: Store, change: Change, passages: Sequence[StoredPassage]) -> None:
    for path in change.dropped:
        store.drop_source(path)
    for path, now in change.readings.items():
        store.write_source(path, now.digest, now.skips)
    for source, group in change.records.items():
        store.replace_records(source, group, change.paper_ids[source])
    store.delete_papers(change.removed + change.changed)
    store.write_papers(change.papers[key] for key in change.added + change.changed + change.moved)
    store.write_aliases(change.papers[key] for key in change.added + change.changed)
    store.write_passages(passages)
    store.drop_unused_vectors()


def _manifest(store: Store, generation: int, embedder: Embedder, before: Manifest | None) -> Manifest:
    counts = Counts(**{name: store.count(name) for name in Counts.model_fields})
    return Manifest(
        generation=generation,
        rag_qa_version=__version__,
        embedder=embedder.spec,
        passage_tokens=embedder.spec.max_tokens,
        counts=counts,
        calibration=before.calibration if before else None,
    )


# --- telling about it


def _report(change: Change, fates: Sequence[Fate], embedded: int, started: float) -> IndexReport:
    names = (
        {alias for paper in change.papers.values() for alias in paper.aliases} if change.removed else set()
    )
    return _add_up(
        fates,
        removed=sum(paper_id not in names for paper_id in change.removed),
        embedded=embedded,
        papers=len(change.papers),
        started=started,
        encodings={path: now.encoding for path, now in change.readings.items() if now.encoding},
    )


def _unchanged_report(
    store: Store, manifest: Manifest, files: Sequence[SourceFile], strict: bool, started: float
) -> IndexReport:
    fates = unchanged_fates(store, files)
    _check_strict(strict, fates)
    return _add_up(fates, removed=0, embedded=0, papers=manifest.counts.papers, started=started)


def _add_up(
    fates: Sequence[Fate],
    *,
    removed: int,
    embedded: int,
    papers: int,
    started: float,
    encodings: Mapping[str, str] = NO_ENCODINGS,
) -> IndexReport:
    """Return the report whose counts are those of the fates."""
    counts = Counter(fate.fate for fate in fates)
    skipped = [fate for fate in fates if fate.fate == "skipped"]
    return IndexReport(
        found=len(fates),
        read=len(fates) - len(skipped),
        **{name: counts[name] for name in get_args(FateName)},
        removed=removed,
        skips=tuple(Skipped(path=s.path, record=s.record, reason=s.reason or "") for s in skipped),
        fates=tuple(fates),
        encodings=encodings,
        embedded=embedded,
        papers=papers,
        seconds=time.perf_counter() - started,
    )


def _check_strict(strict: bool, fates: Sequence[Fate]) -> None:
    skips = [fate for fate in fates if fate.fate == "skipped"] if strict else []
    if skips:
        shown = "; ".join(f"{s.path}, record {s.record}: {s.reason}" for s in skips[:MAX_SHOWN_SKIPS])
        raise SkippedRecordsError(
            f"{len(skips)} records would be skipped ({shown}); mend them, or leave --strict out to skip them"
        )


def _say_nothing(stage: str, done: int, total: int) -> None:
    """Take progress and show nothing."""
