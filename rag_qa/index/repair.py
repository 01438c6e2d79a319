"""Mend a damaged index: keep what is as it was stored, derive from it what can be derived, name what is lost.

Most things are there twice. A paper is made of its records, and a record can be made of its paper; passages are cut
from papers, vectors are embedded from passages, and the derived files are built from all of them. So a paper is lost
only if it and its records are all damaged. A sound copy of the store is written beside the damaged one, which is kept
in `damaged/`. How the damaged one is read stands in rag_qa.index.salvage.
"""

import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

from rag_qa.errors import IndexNotFoundError, RagQAError
from rag_qa.files import make_private_folder
from rag_qa.index.builder import embed_missing, stored_passages
from rag_qa.index.database import FILE_NAME
from rag_qa.index.derived import (
    VOLATILE,
    build_derived,
    derived_folder,
    drop_old_generations,
    has_graph,
    stamp_matches,
)
from rag_qa.index.integrity import are_passages_of, find_damage
from rag_qa.index.lock import writing
from rag_qa.index.manifest import SCHEMA_VERSION, Counts, Manifest, check_embedder
from rag_qa.index.salvage import Lost, Salvage
from rag_qa.index.store import PassageRow, Store, StoredPassage
from rag_qa.protocols import Embedder, EmbedderSpec
from rag_qa.settings import Settings
from rag_qa.text.body import body_sentences
from rag_qa.types import Paper, Passage, Value
from rag_qa.version import __version__

ASIDE = "damaged"


class Repair(Value):
    """What a repair did, in words, and what it could not bring back.

    `aside` is the folder that keeps the damaged file, None if the file was sound.
    """

    mended: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()
    aside: str | None = None


def repair_index(folder: Path, open_embedder: Callable[[], Embedder]) -> Repair:
    """Mend an index, and say what was done. The embedder is opened only if something has to be embedded.

    Raises IndexNotFoundError, IndexLockedError, IndexMismatchError (another embedder), PaperIndexError.
    """
    folder = folder.absolute()
    if not (folder / FILE_NAME).exists():
        raise IndexNotFoundError(
            f"there is no index in {folder}; make one with `rag-qa index SOURCE --index {folder}`"
        )
    with writing(folder):
        found = _damage_of(folder)
        repair = _mend_store(folder, open_embedder) if found else Repair()
        rebuilt = _mend_derived(folder)
    return repair.model_copy(update={"mended": (*repair.mended, *rebuilt)})


def _damage_of(folder: Path) -> list[str]:
    """Return what is damaged in the store of an index."""
    try:
        store = Store.open(folder)
    except RagQAError as exc:
        return [str(exc)]
    try:
        manifest = store.manifest()
        return list(find_damage(store, manifest)) if manifest else ["the manifest is missing"]
    except RagQAError as exc:
        return [str(exc)]
    finally:
        store.close()


def _mend_derived(folder: Path) -> list[str]:
    """Build the derived files as the next generation if they are not as they were built."""
    store = Store.create(folder)
    try:
        manifest = store.manifest()
        if manifest is None or _derived_are_sound(derived_folder(folder, manifest.generation)):
            return []
        generation = _unused_generation(folder, manifest)
        with store.transaction():
            store.write_manifest(manifest.model_copy(update={"generation": generation}))
            build_derived(store, generation, manifest.embedder.dimension)
        drop_old_generations(folder, generation)
        return ["the derived files were built again"]
    finally:
        store.close()


def _derived_are_sound(folder: Path) -> bool:
    """Return whether all derived files are as they were built; SQLite checks Chroma's, which changes."""
    if not stamp_matches(folder, thorough=True):
        return False
    if not has_graph(folder):
        return True
    try:
        with closing(sqlite3.connect(f"{(folder / 'chroma' / VOLATILE).as_uri()}?mode=ro", uri=True)) as db:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _unused_generation(folder: Path, manifest: Manifest) -> int:
    there = [int(path.name) for path in (folder / "derived").glob("*") if path.name.isdecimal()]
    return max([manifest.generation, *there]) + 1


def _mend_store(folder: Path, open_embedder: Callable[[], Embedder]) -> Repair:
    """Write a sound copy of the store, and put it in the place of the damaged one."""
    fresh = folder / "repair.new"
    shutil.rmtree(fresh, ignore_errors=True)
    make_private_folder(fresh)
    aside = _put_aside(folder)
    with closing(Store.create(fresh)) as store, closing(Salvage(aside, folder)) as salvage:
        repair = _fill(store, salvage, open_embedder)
    # The log of one file must never meet another one.
    for ending in ("-wal", "-shm"):
        (folder / f"{FILE_NAME}{ending}").unlink(missing_ok=True)
    (fresh / FILE_NAME).replace(folder / FILE_NAME)
    shutil.rmtree(fresh)
    return repair.model_copy(update={"aside": str(aside)})


def _put_aside(folder: Path) -> Path:
    """Copy the damaged file and its log into a new folder, and return that."""
    aside = next(path for n in count(1) if not (path := folder / ASIDE / str(n)).exists())
    make_private_folder(aside)
    for path in sorted(folder.glob(f"{FILE_NAME}*")):
        shutil.copy2(path, aside)
    return aside


def _fill(store: Store, salvage: Salvage, open_embedder: Callable[[], Embedder]) -> Repair:
    """Fill an empty store with what is sound in a damaged one and with what can be derived from that."""
    manifest = salvage.manifest
    spec = manifest.embedder if manifest else open_embedder().spec
    papers, again = salvage.papers(spec)
    records, made = salvage.records(papers)
    lost = salvage.lost(papers)
    stale = {row[0] for row in made} | {path for paper in lost for path in paper.sources}
    complete = manifest is not None and manifest.counts.passages == salvage.passage_count
    passages, cut = _sound_passages(papers, salvage.passages, spec, complete)
    with store.transaction():
        store.write_rows("sources", salvage.sources([row[0] for row in (*records, *made)], stale))
        store.write_rows("records", [*records, *made])
        store.write_papers(papers.values())
        store.write_aliases(papers.values())
        store.write_rows("vectors", salvage.vectors({key for _, key in passages}))
    more, embedded = _embed(store, papers, passages, cut, spec, open_embedder)
    with store.transaction():
        store.write_passages([*passages, *more])
        store.write_manifest(_manifest(store, salvage.folder, manifest, spec))
    said = [
        *(f"the paper {key!r} was made again of its records" for key in again),
        *(f"the record of the paper {row[3]!r} in {row[0]} was made again of the paper" for row in made),
        *(f"the passages of the paper {key!r} were cut again" for key in cut),
        *([f"{embedded} passages were embedded again"] if embedded else []),
        *([] if manifest else ["the manifest was written again; run `rag-qa calibrate` again if you had"]),
        "the store was written anew from what is sound",
    ]
    return Repair(mended=tuple(said), lost=tuple(lost))


def _sound_passages(
    papers: Mapping[str, Paper], rows: Mapping[str, list[PassageRow]], spec: EmbedderSpec, complete: bool
) -> tuple[list[StoredPassage], list[str]]:
    """Return the passages that are those of their papers, and the ids of the papers that must be cut again.

    Unless the passages are known to be `complete`, they must also reach from the first sentence to the last.
    """
    passages: list[StoredPassage] = []
    cut: list[str] = []
    for key, paper in papers.items():
        own = rows.get(key, [])
        if are_passages_of(paper, own, spec) and (complete or _reach(paper, own)):
            passages += [StoredPassage(_passage(paper, row), row.key) for row in own]
        else:
            cut.append(key)
    return passages, cut


def _reach(paper: Paper, rows: Sequence[PassageRow]) -> bool:
    sentences = body_sentences(paper.abstract)
    if not sentences or not rows:
        return not sentences and not rows
    return rows[0].start == sentences[0][0] and rows[-1].end == sentences[-1][1]


def _passage(paper: Paper, row: PassageRow) -> Passage:
    text = paper.abstract[row.start : row.end]
    return Passage(id=row.id, paper_id=paper.id, text=text, start=row.start, end=row.end)


def _embed(
    store: Store,
    papers: Mapping[str, Paper],
    passages: Sequence[StoredPassage],
    cut: Sequence[str],
    spec: EmbedderSpec,
    open_embedder: Callable[[], Embedder],
) -> tuple[list[StoredPassage], int]:
    """Cut papers again and embed what has no vector; return the new passages, and the number of texts embedded."""
    if not cut and not store.missing_vectors(key for _, key in passages):
        return [], 0
    embedder = open_embedder()
    built_with = Manifest(rag_qa_version=__version__, embedder=spec, passage_tokens=spec.max_tokens)
    check_embedder(built_with, embedder.spec, str(store.folder.parent))
    more = list(stored_passages([papers[key] for key in cut], embedder))
    return more, embed_missing(
        store, list(papers.values()), [*passages, *more], embedder, open_embedder, Settings(ray=None), _silent
    )


def _manifest(store: Store, folder: Path, before: Manifest | None, spec: EmbedderSpec) -> Manifest:
    before = before or Manifest(rag_qa_version=__version__, embedder=spec, passage_tokens=spec.max_tokens)
    counts = Counts(**{name: store.count(name) for name in Counts.model_fields})
    generation = _unused_generation(folder, before)
    changes = {"counts": counts, "generation": generation, "schema_version": SCHEMA_VERSION}
    return before.model_copy(update=changes)


def _silent(stage: str, done: int, total: int) -> None:
    """Show no progress."""
