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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rag_qa.errors import IndexDamagedError
from rag_qa.index.checksums import seal
from rag_qa.index.exact import build_exact
from rag_qa.index.facets import build_facets
from rag_qa.index.lexical import analyzer_is_current, build_lexical
from rag_qa.index.lock import is_held
from rag_qa.index.pairs import build_pairs
from rag_qa.index.store import PassageRow, Store
from rag_qa.index.vectors import ChromaRow, build_vectors, extend_vectors
from rag_qa.types import Paper

STAMP = "stamp.json"
# Grows by one whenever the contents of the parts change: parts of an earlier layout are built again.
LAYOUT = 2
PARTS = ("chroma", "exact", "lexical", "pairs", "facets")
# Up to this share of changed papers, a copy of Chroma's last collection is updated.
SMALL = 0.2
# Chroma writes to this file whenever it is opened, so only its presence is checked.
VOLATILE = "chroma.sqlite3"


def derived_folder(index: Path, generation: int) -> Path:
    """Return the folder of a generation's derived files."""
    return index / "derived" / str(generation)


class Update(NamedTuple):
    """How a generation differs from the one in the folder `before`: ids of the papers removed and added."""

    before: Path
    removed: Sequence[str]
    added: Sequence[str]


def build_derived(store: Store, generation: int, dimension: int, update: Update | None = None) -> None:
    """Build a generation's folder from the store, and move it into place when it is complete.

    With an `update`, Chroma's part is a changed copy of the one before; the other parts are quicker built than copied.
    """
    target = derived_folder(store.folder, generation)
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for part in PARTS:
        (fresh / part).mkdir(parents=True)
    if update is None or not _carry_over(store, update, fresh):
        build_vectors(fresh / "chroma", _rows(store))
    _build_exact_parts(store, fresh, dimension)
    for part in PARTS:
        seal(fresh / part)
    (fresh / STAMP).write_text(json.dumps(_stamp(fresh)), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def build_aside(store: Store, folder: Path, dimension: int, *, graph: bool) -> None:
    """Build the parts into an empty folder elsewhere, for an index that cannot be written to.

    Chroma's part is built only with `graph`, if its graph will be searched.
    """
    for part in PARTS:
        (folder / part).mkdir(parents=True)
    if graph:
        build_vectors(folder / "chroma", _rows(store))
    _build_exact_parts(store, folder, dimension)


def _build_exact_parts(store: Store, folder: Path, dimension: int) -> None:
    build_exact(folder / "exact", _vectors(store), store.count("passages"), dimension)
    build_pairs(folder / "pairs", build_lexical(folder / "lexical", store.papers()))
    build_facets(folder / "facets", store.papers())


def _carry_over(store: Store, update: Update, folder: Path) -> bool:
    """Make `chroma/` of a folder from the collection before; return False if too much changes or it is damaged.

    Chroma keeps deleted vectors on disk, so after large changes the collection is built again. It also remembers a
    folder that it failed to open, so the copy gets its final name only when it is sound.
    """
    if len(update.removed) + len(update.added) > SMALL * store.count("papers"):
        return False
    copy = folder / "copy"
    shutil.copytree(update.before / "chroma", copy)
    try:
        count = extend_vectors(copy, update.removed, _rows_of(store, update.added))
    except IndexDamagedError:
        count = -1
    if count != store.count("passages"):
        shutil.rmtree(copy)
        return False
    (folder / "chroma").rmdir()
    copy.rename(folder / "chroma")
    return True


def drop_old_generations(index: Path, generation: int) -> None:
    """Remove the generations that no reader needs: not this one, held ones, or the one before, which may be opening."""
    keep = (str(generation), str(generation - 1))
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
    except (OSError, ValueError):
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
    return (p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != STAMP)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _vectors(store: Store) -> Iterator[tuple[str, bytes]]:
    return ((passage.paper_id, vector) for passage, vector in store.passage_vectors())


def _rows(store: Store) -> Iterator[ChromaRow]:
    """Yield every passage as Chroma holds it, with one paper in memory at a time."""
    papers = store.papers()
    paper: Paper | None = None
    for passage, vector in store.passage_vectors():
        while paper is None or paper.id != passage.paper_id:
            paper = next(papers)
        yield _row(paper, passage, vector)


def _rows_of(store: Store, paper_ids: Sequence[str]) -> Iterator[ChromaRow]:
    """Yield the passages of some papers."""
    papers = store.papers_by_id(paper_ids)
    return (_row(papers[row.paper_id], row, vector) for row, vector in store.passage_vectors(paper_ids))


def _row(paper: Paper, passage: PassageRow, vector: bytes) -> ChromaRow:
    metadata: dict[str, str | int] = {"paper_id": paper.id, "title": paper.title, "kind": paper.kind}
    metadata |= {k: v for k, v in (("year", paper.year), ("venue", paper.venue)) if v is not None}
    return ChromaRow(passage.id, np.frombuffer(vector, dtype=np.float32), metadata)
