"""Sources → index: read, merge, cut, embed, then commit everything in one transaction.

Embedding takes nearly all the time. Its batches are committed one by one, so an interrupted run never embeds a text
twice; it only reads and merges again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np

from rag_qa.backends.embedding import open_embedder
from rag_qa.corpus.limits import Limits
from rag_qa.corpus.passages import cut_passages, embedding_text
from rag_qa.corpus.sources import expand_sources
from rag_qa.errors import BackendError, IndexMismatchError
from rag_qa.index.bulk import embed_in_bulk
from rag_qa.index.changes import Change, Progress, find_change, gone_sources, unread_files
from rag_qa.index.derived import (
    Update,
    build_derived,
    derived_folder,
    drop_old_generations,
    stamp_matches,
)
from rag_qa.index.fates import fates_of, unchanged_fates
from rag_qa.index.integrity import passage_key
from rag_qa.index.lock import writing
from rag_qa.index.manifest import PASSAGE_RULES, Counts, Manifest, check_embedder
from rag_qa.index.publishing import drop_unused, publish
from rag_qa.index.report import make_report, refuse_skips
from rag_qa.index.store import Store, StoredPassage
from rag_qa.protocols import Embedder, Matrix
from rag_qa.settings import Settings
from rag_qa.types import IndexReport, Paper
from rag_qa.version import __version__

EMBED_CHUNK = 512


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
    """Bring an index up to date with its sources, and return the report.

    Args:
        sources: files, folders, globs, or "-" for standard input.
        index: the folder of the index, made if it is missing.
        settings: name the embedder, unless one is given, and a Chroma server (default: `Settings()`).
        embedder: used in place of the one in the settings; loaded only if there is a text to embed.
        format: the format of all sources (default: recognised by content).
        prune: remove papers whose sources or records are gone; without it they stay.
        strict: raise SkippedRecordsError if a record would be skipped.
        dry_run: write nothing; the report says what would happen.
        progress: called with the name of a stage, the units done and the units in total.

    Raises SourceError, SkippedRecordsError, IndexLockedError, IndexMismatchError, IndexDamagedError, PaperIndexError,
    ModelNotFoundError, BackendError.
    """
    settings = settings or Settings()
    # Workers of a Ray job open it for themselves: a loaded model cannot be sent to them.
    make_embedder = partial(open_embedder, settings) if embedder is None else partial(_itself, embedder)
    embedder = embedder or open_embedder(settings)
    server = settings.chroma_url
    limits = Limits.of(settings)
    folder = Path(index)
    progress = progress or _show_nothing
    started = time.perf_counter()
    files = expand_sources(sources, skip=[folder], limits=limits)
    with _open_store(folder, dry_run) as store:
        manifest = _compatible_manifest(store, embedder)
        dropped = gone_sources(store) if prune else []
        unread = unread_files(store, manifest, files, format, limits)
        if manifest and not unread and not dropped and _derived_sound(store, manifest):
            fates = unchanged_fates(store, files)
            refuse_skips(fates if strict else ())
            if server and not dry_run:
                with store.transaction():
                    publish(store, manifest, server)
                drop_unused(store, manifest, server)
            seconds = time.perf_counter() - started
            return make_report(fates, removed=0, embedded=0, papers=manifest.counts.papers, seconds=seconds)
        change = find_change(store, manifest, unread, dropped, format, limits, prune, progress)
        fates = fates_of(change, files, store)
        refuse_skips(fates if strict else ())
        embedded = (
            0 if dry_run else _apply(store, change, manifest, embedder, make_embedder, settings, progress)
        )
        return make_report(
            fates,
            removed=change.removed_count,
            embedded=embedded,
            papers=change.total,
            seconds=time.perf_counter() - started,
            encodings=change.encodings,
        )


@contextmanager
def _open_store(folder: Path, dry_run: bool) -> Iterator[Store]:
    """Open the store under the write lock; for a dry run, only for reading."""
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


def _apply(
    store: Store,
    change: Change,
    manifest: Manifest | None,
    embedder: Embedder,
    make_embedder: Callable[[], Embedder],
    settings: Settings,
    progress: Progress,
) -> int:
    """Embed new passages, then write everything in one transaction; return the number of texts embedded."""
    fresh = [change.papers[key] for key in change.added + change.changed]
    progress("cutting", 0, len(fresh))
    passages = list(stored_passages(fresh, embedder))
    progress("cutting", len(fresh), len(fresh))
    embedded = embed_missing(store, fresh, passages, embedder, make_embedder, settings, progress)
    server = settings.chroma_url
    generation = _next_generation(store, change, manifest)
    progress("writing", 0, 1)
    with store.transaction():
        _write(store, change, passages)
        written = _manifest(store, generation, embedder, manifest)
        store.write_manifest(written)
        if manifest is None or generation != manifest.generation:
            update = _update(store, change, manifest)
            build_derived(store, generation, embedder.spec.dimension, update, graph=False if server else None)
        if server:
            publish(store, written, server)
    drop_old_generations(store.folder, generation)
    if server:
        drop_unused(store, written, server)
    progress("writing", 1, 1)
    return embedded


def _next_generation(store: Store, change: Change, manifest: Manifest | None) -> int:
    """Return the generation to write: the present one if search finds the same in it."""
    if manifest is None:
        return 1
    differs = bool(change.added or change.changed or change.moved or change.removed)
    return manifest.generation + (differs or not _derived_sound(store, manifest))


def _update(store: Store, change: Change, manifest: Manifest | None) -> Update | None:
    """Return how the papers differ from the present generation, None if that cannot be built upon."""
    if manifest is None or not _derived_sound(store, manifest):
        return None
    before = derived_folder(store.folder, manifest.generation)
    return Update(before, change.removed + change.changed, change.added + change.changed, change.moved)


def _derived_sound(store: Store, manifest: Manifest) -> bool:
    return stamp_matches(derived_folder(store.folder, manifest.generation))


def stored_passages(papers: Sequence[Paper], embedder: Embedder) -> Iterator[StoredPassage]:
    titles = {paper.id: paper.title for paper in papers}
    for passage in cut_passages(papers, embedder.count_tokens, embedder.spec.max_tokens):
        text = embedding_text(titles[passage.paper_id], passage.text)
        yield StoredPassage(passage, passage_key(embedder.spec, text))


def embed_missing(
    store: Store,
    papers: Sequence[Paper],
    passages: Sequence[StoredPassage],
    embedder: Embedder,
    make_embedder: Callable[[], Embedder],
    settings: Settings,
    progress: Progress,
) -> int:
    """Embed the texts that have no vector, longest first, and commit chunk by chunk; return their number.

    The texts of a chunk are about equally long, so that little is padded.
    """
    titles = {paper.id: paper.title for paper in papers}
    missing = store.missing_vectors(key for _, key in passages)
    texts = {key: embedding_text(titles[p.paper_id], p.text) for p, key in passages if key in missing}
    lengths = dict(zip(texts, embedder.count_tokens(list(texts.values())), strict=True))
    keys = sorted(texts, key=lambda key: min(lengths[key], embedder.spec.max_tokens), reverse=True)
    if settings.ray and keys:
        embed_in_bulk(
            store,
            {key: texts[key] for key in keys},
            make_embedder,
            address=settings.ray,
            workers=settings.ray_workers,
            report=partial(progress, "embedding"),
        )
        return len(keys)
    for start in range(0, len(keys), EMBED_CHUNK):
        chunk = keys[start : start + EMBED_CHUNK]
        store.write_vectors(chunk, _embed([texts[key] for key in chunk], embedder))
        progress("embedding", start + len(chunk), len(keys))
    return len(keys)


def _itself(embedder: Embedder) -> Embedder:
    return embedder


def _embed(texts: Sequence[str], embedder: Embedder) -> Matrix:
    """Return the vectors as float32. Raises BackendError if their shape is wrong or a value is not finite."""
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
    store.delete_records(change.gone)
    store.write_records(change.written)
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


def _show_nothing(stage: str, done: int, total: int) -> None:
    """Ignore the progress."""
