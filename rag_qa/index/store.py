"""The truth: one SQLite file with sources, records, papers, passages and vectors.

A *record* is one entry of one source; a *paper* is what merged records became. Vectors are kept by the hash of
the embedded text and committed batch by batch, so an interrupted run has nothing to embed twice; everything
else changes in one transaction. A reader keeps one read transaction open: it sees what it opened.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rag_qa.errors import IndexDamagedError
from rag_qa.index.manifest import Manifest, check_schema
from rag_qa.protocols import Matrix
from rag_qa.types import Paper, Passage, Skipped

FILE_NAME = "papers.sqlite3"
CHUNK = 500

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sources (path TEXT PRIMARY KEY, digest TEXT NOT NULL, skips TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    source TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, paper_id TEXT NOT NULL, PRIMARY KEY (source, id)
) WITHOUT ROWID;
CREATE TABLE papers (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE aliases (alias TEXT PRIMARY KEY, paper_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, paper_id TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, key BLOB NOT NULL
);
CREATE INDEX passages_of_paper ON passages (paper_id);
CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
"""


class StoredPassage(NamedTuple):
    """A passage to store: the value and the key of its vector."""

    passage: Passage
    key: bytes


class Store:
    """The SQLite file of an index. Open it with `Store.create` to write and `Store.open` to read."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self.folder = folder

    @classmethod
    def create(cls, folder: Path) -> "Store":
        """Open for writing, creating the file where there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE_NAME
        db = _connect(path)
        with _damage_told(path):
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        return cls(db, folder)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open for reading, pinned to the last finished update."""
        path = folder / FILE_NAME
        db = _connect(path)
        with _damage_told(path):
            db.execute("PRAGMA query_only = ON")
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM meta").fetchone()
        return cls(db, folder)

    def close(self) -> None:
        """Close the file; an open transaction is rolled back."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- manifest

    def manifest(self) -> Manifest | None:
        """Return the manifest; None before the first finished update."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        if row is None:
            return None
        check_schema(int(row[0]), str(self.folder))
        (body,) = self._db.execute("SELECT value FROM meta WHERE key = 'manifest'").fetchone()
        return Manifest.model_validate_json(body)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest."""
        rows = [("schema_version", str(manifest.schema_version)), ("manifest", manifest.model_dump_json())]
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    # --- sources and records

    def source_digests(self) -> dict[str, str]:
        """Return each source's digest by path."""
        return dict(self._db.execute("SELECT path, digest FROM sources"))

    def source_skips(self, path: str) -> list[Skipped]:
        """Return what was skipped when the source was last read."""
        (body,) = self._db.execute("SELECT skips FROM sources WHERE path = ?", (path,)).fetchone()
        return [Skipped.model_validate_json(line) for line in body.splitlines()]

    def write_source(self, path: str, digest: str, skips: Iterable[Skipped]) -> None:
        """Replace what is known of a source."""
        lines = "\n".join(s.model_dump_json() for s in skips)
        self._db.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (path, digest, lines))

    def drop_source(self, path: str) -> None:
        """Forget a source and its records."""
        self._db.execute("DELETE FROM sources WHERE path = ?", (path,))
        self._db.execute("DELETE FROM records WHERE source = ?", (path,))

    def records(self) -> Iterator[tuple[str, str, Paper]]:
        """Yield (source, record id, record), ordered by source and id."""
        for source, key, body in self._db.execute("SELECT source, id, body FROM records ORDER BY source, id"):
            yield source, key, Paper.model_validate_json(body)

    def papers_of_source(self, path: str) -> list[str]:
        """Return the paper id of each record of a source."""
        return [r[0] for r in self._db.execute("SELECT paper_id FROM records WHERE source = ?", (path,))]

    def replace_records(self, source: str, records: Mapping[str, Paper], paper_ids: Mapping[str, str]) -> None:
        """Make `records` (by record id) the source's records; `paper_ids` says which paper each became."""
        self._db.execute("DELETE FROM records WHERE source = ?", (source,))
        rows = ((source, key, paper.model_dump_json(), paper_ids[key]) for key, paper in records.items())
        self._db.executemany("INSERT INTO records VALUES (?, ?, ?, ?)", rows)

    # --- papers and passages

    def paper_bodies(self) -> dict[str, str]:
        """Return each paper's stored JSON by id."""
        return dict(self._db.execute("SELECT id, body FROM papers"))

    def papers(self) -> Iterator[tuple[int, Paper]]:
        """Yield every paper with its number, in order of numbers."""
        for n, body in self._db.execute("SELECT n, body FROM papers ORDER BY n"):
            yield n, Paper.model_validate_json(body)

    def papers_by_id(self, ids: Sequence[str]) -> dict[str, Paper]:
        """Return the papers that exist among the ids."""
        rows = self._select("SELECT id, body FROM papers WHERE id IN ({})", ids)
        return {key: Paper.model_validate_json(body) for key, body in rows}

    def resolve(self, paper_id: str) -> str | None:
        """Return the id of the paper that has this id or alias."""
        query = "SELECT id FROM papers WHERE id = ?1 UNION SELECT paper_id FROM aliases WHERE alias = ?1 LIMIT 1"
        row = self._db.execute(query, (paper_id,)).fetchone()
        return row[0] if row else None

    def replace_papers(self, papers: Iterable[Paper], passages: Iterable[StoredPassage]) -> None:
        """Add papers, or replace those with the same id, together with their passages."""
        for paper in papers:
            self.delete_paper(paper.id)
            self._db.execute("INSERT INTO papers (id, body) VALUES (?, ?)", (paper.id, paper.model_dump_json()))
            self._db.executemany(
                "INSERT OR REPLACE INTO aliases VALUES (?, ?)", ((alias, paper.id) for alias in paper.aliases)
            )
        self._db.executemany(
            "INSERT INTO passages (id, paper_id, first, last, key) VALUES (?, ?, ?, ?, ?)",
            ((p.id, p.paper_id, p.start, p.end, key) for p, key in passages),
        )

    def delete_paper(self, paper_id: str) -> None:
        """Remove a paper with its aliases and passages."""
        self._db.execute("DELETE FROM papers WHERE id = ?", (paper_id,))
        self._db.execute("DELETE FROM aliases WHERE paper_id = ?", (paper_id,))
        self._db.execute("DELETE FROM passages WHERE paper_id = ?", (paper_id,))

    def passages_of(self, paper_ids: Sequence[str]) -> list[tuple[str, str, int, int]]:
        """Return (passage id, paper id, start, end) of the papers' passages, in order of numbers."""
        query = "SELECT id, paper_id, first, last FROM passages WHERE paper_id IN ({}) ORDER BY n"
        return list(self._select(query, paper_ids))

    def papers_of_passages(self, passage_ids: Sequence[str]) -> list[str]:
        """Return the ids of the papers that hold the passages, each once."""
        query = "SELECT DISTINCT paper_id FROM passages WHERE id IN ({})"
        return sorted({row[0] for row in self._select(query, passage_ids)})

    def passage_rows(self) -> Iterator[tuple[str, str, int, int, bytes]]:
        """Yield (passage id, paper id, start, end, vector bytes) of every passage, in order of numbers."""
        return self._db.execute(
            "SELECT id, paper_id, first, last, vector FROM passages JOIN vectors USING (key) ORDER BY n"
        )

    def count(self, table: str) -> int:
        """Return the number of rows of one of the store's tables."""
        if table not in ("sources", "records", "papers", "passages", "vectors"):
            raise ValueError(f"no table {table!r}")
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    # --- vectors

    def missing_vectors(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return the keys that have no vector yet."""
        return {k for k in keys if not self._db.execute("SELECT 1 FROM vectors WHERE key = ?", (k,)).fetchone()}

    def write_vectors(self, keys: Sequence[bytes], vectors: Matrix) -> None:
        """Store float32 vectors, shape (len(keys), dimension), and commit them at once."""
        with self.transaction():
            rows = ((k, v.tobytes()) for k, v in zip(keys, vectors, strict=True))
            self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def vectors_of(self, passage_ids: Sequence[str]) -> Matrix:
        """Return the passages' vectors, shape (len(passage_ids), dimension), in their order."""
        query = "SELECT id, vector FROM passages JOIN vectors USING (key) WHERE id IN ({})"
        found = {key: np.frombuffer(blob, dtype=np.float32) for key, blob in self._select(query, passage_ids)}
        return np.stack([found[key] for key in passage_ids])

    def drop_unused_vectors(self) -> None:
        """Forget vectors that no passage uses any more."""
        self._db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM passages)")

    def _select(self, query: str, ids: Sequence[str]) -> Iterator[tuple]:
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            yield from self._db.execute(query.format(",".join("?" * len(chunk))), chunk)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as exc:
        raise IndexDamagedError(
            f"{path} cannot be read ({exc}); move the folder away and build it again with `rag-qa index`"
        ) from exc
