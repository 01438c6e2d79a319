"""The files that are built from the store to search it: one folder for each generation.

    index/papers.sqlite3            the store: the only file that cannot be rebuilt
    index/derived/3/chroma/         vectors in Chroma (generation 3)
    index/derived/3/exact/          the same vectors as one matrix
    index/derived/3/lexical/        BM25 over title and abstract
    index/derived/3/pairs/          BM25 over bigrams
    index/derived/3/facets/         years, venues, authors, sources, statuses
    index/derived/3/stamp.json      size, time and hash of each file that a search reads

A folder is written aside, moved into place in one step, and never changed afterwards. If it is missing, differs from
its stamp or does not find its own passages, it is built again from the store, as the next generation. That embeds
nothing.
"""

import hashlib
import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rag_qa.errors import IndexDamagedError, PaperIndexError
from rag_qa.files import make_private_folder, set_mode, set_modes
from rag_qa.index.checksums import seal
from rag_qa.index.exact import LARGE, Exact, build_exact
from rag_qa.index.facets import build_facets, update_facets
from rag_qa.index.lexical import Lexical, analyzer_is_current, build_lexical, update_lexical
from rag_qa.index.lock import is_held
from rag_qa.index.pairs import build_pairs
from rag_qa.index.store import PassageRow, Store
from rag_qa.index.vectors import ChromaRow, build_vectors, extend_vectors
from rag_qa.protocols import Matrix
from rag_qa.types import Paper

STAMP = "stamp.json"
# Grows by one whenever the contents of the parts change: parts of an earlier layout are built again.
LAYOUT = 3
PARTS = ("chroma", "exact", "lexical", "pairs", "facets")
# Up to this share of changed papers, a copy of Chroma's last collection is updated.
SMALL = 0.2
# This file stands in the place of a collection that is not built.
LEFT_OUT = "left-out"
# Chroma writes to this file whenever it is opened, so only its presence is checked. Its journal is there for a moment.
VOLATILE = "chroma.sqlite3"
JOURNALS = "chroma.sqlite3-*"


def derived_folder(index: Path, generation: int) -> Path:
    """Return the folder of a generation's derived files."""
    return index / "derived" / str(generation)


class Update(NamedTuple):
    """How a generation differs from the one in the folder `before`: ids of the papers removed and added.

    A changed paper is both. One that was only found elsewhere is `moved`.
    """

    before: Path
    removed: Sequence[str]
    added: Sequence[str]
    moved: Sequence[str] = ()


def build_derived(
    store: Store, generation: int, dimension: int, update: Update | None = None, *, graph: bool | None = None
) -> None:
    """Build a generation's folder from the store, and move it into place when it is complete.

    With an `update`, Chroma's part is a changed copy of the one before, and the others read only the added papers.
    `graph` says whether Chroma's part is built. By default it is, unless the index is large, because that takes hours;
    one that the generation before has is kept.
    """
    if graph is None:
        graph = store.count("passages") < LARGE or (update is not None and has_graph(update.before))
    target = derived_folder(store.folder, generation)
    with _aside(target) as fresh:
        for part in PARTS:
            (fresh / part).mkdir(parents=True)
        if not graph:
            (fresh / "chroma" / LEFT_OUT).touch()
        elif update is None or not _carry_over(store, update, fresh):
            build_vectors(fresh / "chroma", chroma_rows(store))
        _build_exact_parts(store, fresh, dimension, update)
        for part in PARTS:
            seal(fresh / part)
        (fresh / STAMP).write_text(json.dumps(_stamp(fresh)), encoding="utf-8")
        set_modes([fresh], store.mode)
        set_mode(target.parent, store.mode)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Yield a folder to build in, which is removed if that fails. Raises PaperIndexError if the disk is full."""
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        make_private_folder(fresh)
        yield fresh
    except OSError as exc:
        raise PaperIndexError(
            f"{target} cannot be written ({exc.strerror or exc}); free some space, see whether you may write there, "
            "and run the command again: nothing is lost"
        ) from exc
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def build_aside(store: Store, folder: Path, dimension: int, *, graph: bool) -> None:
    """Build the parts into an empty folder elsewhere, for an index that cannot be written to.

    Chroma's part is built only with `graph`, if its graph will be searched.
    """
    for part in PARTS:
        (folder / part).mkdir(parents=True)
    if graph:
        build_vectors(folder / "chroma", chroma_rows(store))
    _build_exact_parts(store, folder, dimension)


def _build_exact_parts(store: Store, folder: Path, dimension: int, update: Update | None = None) -> None:
    """Build all parts but Chroma's; with an `update`, from those before and the papers that they lack."""
    if update is not None:
        # If the files before are damaged, the store alone is read, which says so if it is damaged itself.
        with suppress(IndexDamagedError):
            _update_exact_parts(store, folder, dimension, update)
            return
    count = store.count("passages")
    if build_exact(folder / "exact", _vectors(store), count, dimension) != count:
        raise _incomplete(store)
    build_pairs(folder / "pairs", build_lexical(folder / "lexical", store.papers()))
    build_facets(folder / "facets", store.papers())


def _incomplete(store: Store) -> IndexDamagedError:
    return store.damaged("one of the papers, passages or vectors")


def _update_exact_parts(store: Store, folder: Path, dimension: int, update: Update) -> None:
    before, ids = update.before, sorted(store.paper_ids())
    count = store.count("passages")
    if build_exact(folder / "exact", _vectors_after(store, update, ids), count, dimension) != count:
        raise _incomplete(store)
    added = store.papers_by_id(update.added)
    build_pairs(folder / "pairs", update_lexical(folder / "lexical", before / "lexical", ids, added))
    fresh = added | store.papers_by_id(update.moved)
    numbers = {paper_id: number for number, paper_id in enumerate(ids)}
    old_ids = Lexical(before / "lexical").paper_ids
    moved = [-1 if paper_id in fresh else numbers.get(paper_id, -1) for paper_id in old_ids]
    by_number = {numbers[paper_id]: paper for paper_id, paper in fresh.items()}
    update_facets(folder / "facets", before / "facets", np.array(moved, dtype=np.int64), by_number)


def _carry_over(store: Store, update: Update, folder: Path) -> bool:
    """Make `chroma/` of a folder from the collection before; return False if too much changes or it is damaged.

    Chroma keeps deleted vectors on disk, so after large changes the collection is built again. It also remembers a
    folder that it failed to open, so the copy gets its final name only when it is sound.
    """
    if not has_graph(update.before):
        return False
    if len(update.removed) + len(update.added) > SMALL * store.count("papers"):
        return False
    copy = folder / "copy"
    try:
        _copy_collection(update.before / "chroma", copy)
        count = extend_vectors(copy, update.removed, _rows_of(store, update.added))
    except (IndexDamagedError, sqlite3.DatabaseError):
        count = -1
    if count != store.count("passages"):
        shutil.rmtree(copy, ignore_errors=True)
        return False
    (folder / "chroma").rmdir()
    copy.rename(folder / "chroma")
    return True


def _copy_collection(folder: Path, copy: Path) -> None:
    """Copy Chroma's folder, also while readers open it, which writes to its database."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(VOLATILE, JOURNALS))
    with (
        closing(sqlite3.connect(folder / VOLATILE, timeout=30)) as opened,
        closing(sqlite3.connect(copy / VOLATILE)) as copied,
    ):
        opened.backup(copied)


def has_graph(folder: Path) -> bool:
    """Return whether a generation's folder has Chroma's part."""
    return not (folder / "chroma" / LEFT_OUT).exists()


def drop_old_generations(index: Path, generation: int) -> None:
    """Remove the generations that no reader needs: not this one, held ones, or the one before, which may be opening."""
    keep = (str(generation), str(generation - 1))
    with suppress(OSError):  # what cannot be removed now is removed by a later update
        for folder in (index / "derived").iterdir():
            if folder.name not in keep and not is_held(folder):
                shutil.rmtree(folder, ignore_errors=True)


def stamp_matches(folder: Path, *, thorough: bool = False) -> bool:
    """Return whether every part is there, from the current analyzer, and every file is as it was stamped.

    A file is read only if its time differs, or if the check is to be `thorough`.
    """
    known = _read_stamp(folder)
    if known.pop("layout", 1) != LAYOUT:
        return False
    files = {str(path.relative_to(folder)): path for path in _files(folder)}
    if files.keys() != known.keys() or {Path(name).parts[0] for name in known} != set(PARTS):
        return False
    return analyzer_is_current(folder / "lexical") and all(
        _same(path, known[name], thorough) for name, path in files.items()
    )


def _read_stamp(folder: Path) -> dict[str, Any]:
    """Return what is written in the stamp, {} if it is missing or unreadable."""
    try:
        known = json.loads((folder / STAMP).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _same(path: Path, known: object, thorough: bool) -> bool:
    status = path.stat()
    if path.name == VOLATILE:
        return status.st_size > 0
    if not isinstance(known, dict) or status.st_size != known.get("size"):
        return False
    if status.st_mtime_ns == known.get("mtime_ns") and not thorough:
        return True
    return _sha256(path) == known.get("sha256")


def _stamp(folder: Path) -> dict[str, int | dict[str, int | str]]:
    return {"layout": LAYOUT} | {
        str(path.relative_to(folder)): {
            "size": path.stat().st_size,
            "mtime_ns": path.stat().st_mtime_ns,
            "sha256": _sha256(path),
        }
        for path in _files(folder)
    }


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a generation, without what other readers come and go with."""
    files = (p for p in sorted(folder.rglob("*")) if p.name != STAMP and not p.match(JOURNALS))
    return (p for p in files if p.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _vectors(store: Store) -> Iterator[tuple[str, bytes]]:
    return ((passage.paper_id, vector) for passage, vector in store.passage_vectors())


def _vectors_after(store: Store, update: Update, ids: Sequence[str]) -> Iterator[tuple[str, bytes | Matrix]]:
    """Yield the vectors of all papers, in the order of their ids: those kept from the matrix before."""
    fresh: dict[str, list[bytes | Matrix]] = defaultdict(list)
    for passage, vector in store.passage_vectors(update.added):
        fresh[passage.paper_id].append(vector)
    ordinals, exact = Lexical(update.before / "lexical").ordinals, Exact(update.before / "exact")
    for paper_id in ids:
        vectors = fresh[paper_id] if paper_id in fresh else exact.vectors_of(ordinals[paper_id])
        yield from ((paper_id, vector) for vector in vectors)


def chroma_rows(store: Store) -> Iterator[ChromaRow]:
    """Yield every passage as Chroma holds it, with one paper in memory at a time."""
    papers = store.papers()
    paper: Paper | None = None
    for passage, vector in store.passage_vectors():
        while paper is None or paper.id != passage.paper_id:
            paper = next(papers, None)
            if paper is None:
                raise _incomplete(store)
        yield _row(paper, passage, vector)


def _rows_of(store: Store, paper_ids: Sequence[str]) -> Iterator[ChromaRow]:
    """Yield the passages of some papers."""
    papers = store.papers_by_id(paper_ids)
    return (_row(papers[row.paper_id], row, vector) for row, vector in store.passage_vectors(paper_ids))


def _row(paper: Paper, passage: PassageRow, vector: bytes) -> ChromaRow:
    metadata: dict[str, str | int] = {"paper_id": paper.id, "title": paper.title, "kind": paper.kind}
    metadata |= {k: v for k, v in (("year", paper.year), ("venue", paper.venue)) if v is not None}
    return ChromaRow(passage.id, np.frombuffer(vector, dtype=np.float32), metadata)
