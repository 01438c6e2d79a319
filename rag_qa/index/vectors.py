"""Vectors of passages and their metadata in Chroma; built from the store.

A process that is killed while Chroma 1.5.9 persists its graph leaves it damaged (chroma-core/chroma#7510). So a
collection is written in a fresh folder, new or a copy of the one before, persisted once, and never written again; the
builder swaps folders.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag_qa.backends.forks import refuse_after_fork
from rag_qa.backends.home import some_home
from rag_qa.errors import IndexDamagedError, PaperIndexError
from rag_qa.index.checksums import check_folder
from rag_qa.protocols import Matrix

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api import ClientAPI

COLLECTION = "passages"
# The number of writes after which Chroma persists its graph: never while it is built, at once when it is complete.
NEVER, AT_ONCE = 1_000_000_000, 2
SEARCH_DEPTH = 400
BATCH = 2_000
# What Chroma's core, and SQLite in it, say of a folder that cannot be written to; their errors have one type.
NO_ROOM = (
    "disk is full",
    "disk I/O error",
    "No space left",
    "File too large",
    "Disk quota exceeded",
    "Read-only file system",
    "readonly database",
)


class ChromaRow(NamedTuple):
    """A passage as Chroma holds it; a full-text index of its text would double the time to build."""

    id: str
    vector: Sequence[float] | np.ndarray
    metadata: dict[str, str | int]


def build_vectors(folder: Path, rows: Iterator[ChromaRow]) -> int:
    """Write the rows into an empty folder and return their number."""
    count = 0
    first: list[ChromaRow] = []
    with _client(folder) as client, _translated_errors(folder):
        collection = client.create_collection(
            COLLECTION, embedding_function=None, configuration=_configuration()
        )
        while batch := list(islice(rows, BATCH)):
            first = first or batch[:1]
            collection.add(**columns(batch))
            count += len(batch)
        collection.modify(configuration={"hnsw": {"sync_threshold": AT_ONCE}})
    _persist(folder, first)
    return count


def extend_vectors(folder: Path, removed: Sequence[str], rows: Iterator[ChromaRow]) -> int:
    """Delete the passages of the removed papers from a collection, add rows, and return the number of rows.

    No other process may have it open. Raises IndexDamagedError if Chroma cannot read it.
    """
    first: list[ChromaRow] = []
    with _client(folder) as client, _translated_errors(folder):
        collection = client.get_collection(COLLECTION, embedding_function=None)
        collection.modify(configuration={"hnsw": {"sync_threshold": NEVER}})
    with _client(folder) as client, _translated_errors(folder):
        collection = client.get_collection(COLLECTION, embedding_function=None)
        for start in range(0, len(removed), BATCH):
            among: Any = {"$in": list(removed[start : start + BATCH])}
            collection.delete(where={"paper_id": among})
        while batch := list(islice(rows, BATCH)):
            first = first or batch[:1]
            collection.add(**columns(batch))
        collection.modify(configuration={"hnsw": {"sync_threshold": AT_ONCE}})
        count = collection.count()
    _persist(folder, first)
    return count


def _persist(folder: Path, rows: list[ChromaRow]) -> None:
    """Reopen the collection and write rows that it has already: that makes Chroma persist its graph."""
    with _client(folder) as client, _translated_errors(folder):
        collection = client.get_collection(COLLECTION, embedding_function=None)
        if rows:
            collection.upsert(**columns(rows))
            return
        some = collection.get(limit=1, include=["embeddings"])
        if some["ids"]:
            collection.update(ids=some["ids"], embeddings=some["embeddings"])


def _configuration() -> Any:
    hnsw = {"space": "cosine", "ef_construction": 100, "ef_search": SEARCH_DEPTH, "sync_threshold": NEVER}
    return {"hnsw": hnsw}


class Vectors:
    """An opened Chroma collection. Raises IndexDamagedError if Chroma cannot read it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._closed = False
        check_folder(folder)  # Chroma crashes on damaged files
        with ExitStack() as files:
            self._collection = _opened(folder, files)
            self._files = files.pop_all()

    def close(self) -> None:
        """Close the files."""
        self._closed = True
        self._files.close()

    def __len__(self) -> int:
        with _translated_errors(self._folder):
            return self._collection.count()

    def search(self, vector: Matrix, k: int) -> tuple[list[str], np.ndarray]:
        """Return the ids of the k nearest passages, best first, and their cosines, shape (k,) or less.

        `vector` has shape (d,). The search is approximate. A collection of fewer passages returns all of them.
        """
        refuse_after_fork("Chroma")
        if self._closed:
            raise PaperIndexError(f"the vectors in {self._folder} are closed; open the index again")
        with _translated_errors(self._folder):
            found = self._collection.query(
                query_embeddings=vector[np.newaxis], n_results=k, include=["distances"]
            )
        distances = found["distances"] or [[]]
        return found["ids"][0], 1 - np.asarray(distances[0], dtype=np.float32)


def columns(rows: list[ChromaRow]) -> dict[str, Any]:
    """Return rows as the arguments of `Collection.add`."""
    return {
        "ids": [r.id for r in rows],
        "embeddings": np.stack([np.asarray(r.vector) for r in rows]),
        "metadatas": [r.metadata for r in rows],
    }


def _opened(folder: Path, files: ExitStack) -> "Collection":
    """Return the collection; of a copy if Chroma cannot write to the folder, because it writes even to read."""
    if all(os.access(path, os.W_OK) for path in (folder, *folder.rglob("*")) if path.exists()):
        try:
            return _get(folder, files)
        except PaperIndexError as exc:
            if isinstance(exc, IndexDamagedError):
                raise
    return _get(files.enter_context(_copied(folder)), files)


def _get(folder: Path, files: ExitStack) -> "Collection":
    client = files.enter_context(_client(folder))
    with _translated_errors(folder):
        return client.get_collection(COLLECTION, embedding_function=None)


@contextmanager
def _copied(folder: Path) -> Iterator[Path]:
    """Yield a temporary copy of a folder. Raises PaperIndexError if there is no room."""
    with TemporaryDirectory(prefix="rag-qa-", ignore_cleanup_errors=True) as name:
        try:
            copy = Path(shutil.copytree(folder, Path(name, folder.name), copy_function=shutil.copyfile))
            for path in (copy, *copy.rglob("*")):
                path.chmod(0o700)
        except OSError as exc:
            raise PaperIndexError(
                f"Chroma writes to {folder} to read it, which it cannot, and there is no room for a copy "
                f"({exc.strerror or exc}); free some space, set TMPDIR to a folder with more, or unset RAG_QA_DENSE"
            ) from exc
        yield copy


@contextmanager
def _client(folder: Path) -> Iterator["ClientAPI"]:
    refuse_after_fork("Chroma")
    with some_home():
        import chromadb
        from chromadb.config import Settings

    with _translated_errors(folder):
        settings = Settings(_env_file=None, anonymized_telemetry=False)
        client = chromadb.PersistentClient(path=str(folder), settings=settings)
    try:
        yield client
    finally:
        client.close()  # type: ignore[attr-defined]


@contextmanager
def _translated_errors(folder: Path) -> Iterator[None]:
    """Raise Chroma's errors as ours, among them panics of its Rust core, which are not an `Exception`."""
    try:
        yield
    except BaseException as exc:
        if not type(exc).__module__.startswith(("chromadb.", "pyo3_runtime")):
            raise
        if any(sign in str(exc) for sign in NO_ROOM):
            raise PaperIndexError(
                f"Chroma cannot write to {folder} ({exc}); free some space, see whether you may write there, and run "
                "the command again: nothing is lost"
            ) from exc
        raise IndexDamagedError(
            f"Chroma cannot use {folder} ({exc}); see whether the disk is full, then delete {folder.parent}: "
            "it is built again, without embedding, when the index is next opened"
        ) from exc
