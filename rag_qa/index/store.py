"""The store: one SQLite file with sources, records, papers, passages and vectors. All else is built from it.

A *record* is one entry of one source; a *paper* is made of one or more merged records. Vectors are kept by the hash of
the embedded text and committed batch by batch, so an interrupted run embeds nothing twice. Everything else changes in
one transaction. A reader keeps one read transaction open, so it sees the index as it was when opened.

Rows have hashes beside them (rag_qa.index.integrity), which are compared whenever a row is read. An index of a version
without hashes is read as it is, and gets them when it is next written.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from pydantic import ValidationError

from rag_qa.errors import IndexDamagedError, PaperIndexError
from rag_qa.index.integrity import HASHED, hashed_row, row_hash, row_name
from rag_qa.index.manifest import SCHEMA_VERSION, Manifest, check_schema
from rag_qa.protocols import Matrix
from rag_qa.types import Paper, Passage, Skipped

FILE_NAME = "papers.sqlite3"
CHUNK = 500
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE sources (
    path TEXT PRIMARY KEY, digest TEXT NOT NULL, skips TEXT NOT NULL, hash BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE records (
    source TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, paper_id TEXT NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (source, id)
) WITHOUT ROWID;
CREATE TABLE papers (id TEXT PRIMARY KEY, body TEXT NOT NULL, hash BLOB NOT NULL);
CREATE TABLE aliases (alias TEXT PRIMARY KEY, paper_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (
    id TEXT PRIMARY KEY, paper_id TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, key BLOB NOT NULL
);
CREATE INDEX passages_of_paper ON passages (paper_id, first);
CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID;
"""

Row = tuple[Any, ...]


class StoredPassage(NamedTuple):
    """A passage to store, and the key of its vector."""

    passage: Passage
    key: bytes


class PassageRow(NamedTuple):
    """A passage as it is stored: its text is `paper.abstract[start:end]`; the key is that of its vector."""

    id: str
    paper_id: str
    start: int
    end: int
    key: bytes


class Store:
    """The SQLite file of an index. Open it with `Store.create` to write and `Store.open` to read."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self.folder = folder
        # What stands for the hash of a row: an index of a version without hashes has none.
        self._hash = "hash"

    @classmethod
    def create(cls, folder: Path) -> "Store":
        """Open for writing, and create the file if it is missing. Raises IndexDamagedError, PaperIndexError."""
        store = cls(_connect(folder / FILE_NAME), folder)
        with store._translated_errors():
            store._db.execute("PRAGMA journal_mode = WAL")
            store._db.execute("PRAGMA synchronous = NORMAL")
            if not store._has_tables():
                store._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
            if not store._has_hashes():
                store._add_hashes()
        return store

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open for reading, pinned to the last finished update; a missing file is read as an empty store.

        The folder may be read-only: a mount, a snapshot, or somebody else's. Raises IndexDamagedError, PaperIndexError.
        """
        path = folder / FILE_NAME
        store = cls(_connect(":memory:"), folder)
        with store._translated_errors():
            store._db = _connect_to_read(path) if path.is_file() else store._db
            if not store._has_tables():
                store.close()
                store._db = _connect(":memory:")
                store._db.executescript(SCHEMA)
            store._db.execute("PRAGMA query_only = ON")
            store._db.execute("BEGIN")
            store._db.execute("SELECT count(*) FROM meta").fetchone()
            store._hash = "hash" if store._has_hashes() else "x''"
        return store

    def close(self) -> None:
        """Close the file; an open transaction is rolled back."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside, or nothing."""
        with self._translated_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite itself ends it if the disk is full
                    self._db.execute("ROLLBACK")
                raise

    # --- manifest

    def manifest(self) -> Manifest | None:
        """Return the manifest; None before the first finished update."""
        known: dict[str, str] = dict(self._sound("meta"))
        if not known:
            return None
        if not {"schema_version", "manifest"} <= known.keys() or not known["schema_version"].isdecimal():
            raise self.damaged("the manifest")
        check_schema(int(known["schema_version"]), str(self.folder))
        with self._translated_errors():
            return Manifest.model_validate_json(known["manifest"])

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest. A missing calibration is left out, because older versions do not know the field."""
        content = manifest.model_dump_json(exclude_none=True)
        rows = [("schema_version", str(manifest.schema_version)), ("manifest", content)]
        self.write_rows("meta", rows)

    # --- sources and records

    def source_digests(self) -> dict[str, str]:
        """Return each source's digest by path."""
        return {path: digest for path, digest, _ in self._sound("sources")}

    def source_skips(self, path: str) -> list[Skipped]:
        """Return the records that were skipped when the source was last read."""
        rows = self._sound("sources", "WHERE path = ?", (path,))
        with self._translated_errors():
            return [Skipped.model_validate_json(line) for _, _, body in rows for line in body.splitlines()]

    def write_source(self, path: str, digest: str, skips: Iterable[Skipped]) -> None:
        """Replace the digest and the skipped records of a source."""
        lines = "\n".join(s.model_dump_json() for s in skips)
        self.write_rows("sources", [(path, digest, lines)])

    def drop_source(self, path: str) -> None:
        """Forget a source and its records."""
        self._db.execute("DELETE FROM sources WHERE path = ?", (path,))
        self._db.execute("DELETE FROM records WHERE source = ?", (path,))

    def records(self) -> Iterator[tuple[str, str, Paper]]:
        """Yield (source, record id, record), ordered by source and id."""
        with self._translated_errors():
            for source, key, body, _ in self._sound("records", "ORDER BY source, id"):
                yield source, key, Paper.model_validate_json(body)

    def record_papers(self, path: str) -> list[tuple[int, str]]:
        """Return the number and the paper id of each record of a source, in the order of the numbers."""
        number = "json_extract(body, '$.sources[0].record')"
        query = f"SELECT {number}, paper_id FROM records WHERE source = ? ORDER BY 1"
        return [(int(row[0]), row[1]) for row in self._read(query, (path,))]

    def replace_records(
        self, source: str, records: Mapping[str, Paper], paper_ids: Mapping[str, str]
    ) -> None:
        """Replace the records of a source; `records` and the papers that they became go by record id."""
        self._db.execute("DELETE FROM records WHERE source = ?", (source,))
        rows = ((source, key, paper.model_dump_json(), paper_ids[key]) for key, paper in records.items())
        self.write_rows("records", rows)

    # --- papers and passages

    def papers(self) -> Iterator[Paper]:
        """Yield every paper, in order of ids."""
        with self._translated_errors():
            for _, body in self._sound("papers", "ORDER BY id"):
                yield Paper.model_validate_json(body)

    def papers_by_id(self, ids: Sequence[str]) -> dict[str, Paper]:
        """Return the papers with these ids, by id; ids that no paper has are left out.

        Raises IndexDamagedError if a paper is not as it was stored.
        """
        wanted = set(ids)
        papers: dict[str, Paper] = {}
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            with self._translated_errors():
                for key, body in self._sound("papers", f"WHERE id IN ({_marks(chunk)})", chunk):
                    papers[key] = Paper.model_validate_json(body)
                    if papers[key].id != key or key not in wanted:
                        raise self.damaged(f"the paper {key!r}")
        return papers

    def resolve(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the paper id for each of these ids or aliases; those that no paper has are left out."""
        aliases = self._select("SELECT alias, paper_id FROM aliases WHERE alias IN ({})", ids)
        return dict(aliases) | dict(self._select("SELECT id, id FROM papers WHERE id IN ({})", ids))

    def write_papers(self, papers: Iterable[Paper]) -> None:
        """Add papers, or replace those with the same ids; their passages stay."""
        self.write_rows("papers", ((paper.id, paper.model_dump_json()) for paper in papers))

    def write_passages(self, passages: Iterable[StoredPassage]) -> None:
        """Add passages."""
        rows = ((p.id, p.paper_id, p.start, p.end, key) for p, key in passages)
        query = "INSERT INTO passages (id, paper_id, first, last, key) VALUES (?, ?, ?, ?, ?)"
        self._db.executemany(query, rows)

    def write_aliases(self, papers: Iterable[Paper]) -> None:
        """Add the papers' aliases."""
        rows = ((alias, paper.id) for paper in papers for alias in paper.aliases)
        self._db.executemany("INSERT OR REPLACE INTO aliases VALUES (?, ?)", rows)

    def delete_papers(self, ids: Iterable[str]) -> None:
        """Remove papers with their aliases and passages."""
        rows = [(key,) for key in ids]
        self._db.executemany("DELETE FROM papers WHERE id = ?", rows)
        self._db.executemany("DELETE FROM aliases WHERE paper_id = ?", rows)
        self._db.executemany("DELETE FROM passages WHERE paper_id = ?", rows)

    def passages(self, paper_id: str) -> list[PassageRow]:
        """Return the passages of a paper, in the order of their text."""
        query = "SELECT id, paper_id, first, last, key FROM passages WHERE paper_id = ? ORDER BY first"
        return [PassageRow(*row) for row in self._read(query, (paper_id,))]

    def passage_vectors(self, paper_ids: Sequence[str] | None = None) -> Iterator[tuple[PassageRow, bytes]]:
        """Yield passages (default: of all papers) with their vectors as bytes of float32.

        The passages of a paper come in the order of their text, those of all papers in the order of paper ids.
        """
        query = f"SELECT id, paper_id, first, last, key, vector, {self._hash} FROM passages JOIN vectors USING (key)"
        if paper_ids is None:
            rows = self._read(f"{query} ORDER BY paper_id, first")
        else:
            rows = self._select(f"{query} WHERE paper_id IN ({{}}) ORDER BY paper_id, first", paper_ids)
        for row in rows:
            self._check("vectors", row[4:6], row[6])
            yield PassageRow(*row[:5]), row[5]

    def paper_ids(self) -> set[str]:
        """Return the id of every paper."""
        return {row[0] for row in self._read("SELECT id FROM papers")}

    def count(self, table: str) -> int:
        """Return the number of rows of one of the store's tables."""
        if table not in ("sources", "records", "papers", "passages", "vectors"):
            raise ValueError(f"no table {table!r}")
        (row,) = self._read(f"SELECT count(*) FROM {table}")
        return int(row[0])

    # --- vectors

    def missing_vectors(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return the keys that have no vector yet."""
        wanted = set(keys)
        stored = self._select("SELECT key FROM vectors WHERE key IN ({})", list(wanted))
        return wanted.difference(row[0] for row in stored)

    def write_vectors(self, keys: Sequence[bytes], vectors: Matrix) -> None:
        """Store vectors, shape (n, d) float32, under n keys, and commit them at once."""
        with self.transaction():
            self.write_rows("vectors", ((k, v.tobytes()) for k, v in zip(keys, vectors, strict=True)))

    def drop_unused_vectors(self) -> None:
        """Delete the vectors that no passage uses any more."""
        self._db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM passages)")

    # --- hashes

    @property
    def has_hashes(self) -> bool:
        """Whether rows have hashes: not in an index that only a version without them has written."""
        return self._hash == "hash"

    def quick_check(self) -> list[str]:
        """Return what SQLite finds wrong with the file's structure."""
        found = [row[0] for row in self._read("PRAGMA quick_check(20)")]
        return [] if found == ["ok"] else found

    def differing_rows(self, table: str) -> Iterator[Row]:
        """Yield the columns that name a row (see HASHED), of each row of a table that differs from its hash."""
        if self.has_hashes:
            columns = HASHED[table]
            values = ", ".join(f"CAST({column} AS BLOB)" for column in columns)
            names = ", ".join(columns[:2] if table == "records" else columns[:1])
            yield from self._read(f"SELECT {names} FROM {table} WHERE hash != row_hash({values})")

    def readable_papers(self) -> Iterator[Paper]:
        """Yield the papers that are as they were stored, in order of ids; the others are left out."""
        for key, body, known in self._read(f"SELECT id, body, {self._hash} FROM papers ORDER BY id"):
            if not self.has_hashes or _is_hash_of(known, (key, body)):
                with suppress(ValidationError):
                    yield Paper.model_validate_json(body)

    def aliases(self) -> dict[str, str]:
        """Return the paper id of every alias."""
        return dict(self._read("SELECT alias, paper_id FROM aliases"))

    def rows(self, query: str, parameters: Sequence[str | bytes] = ()) -> Iterator[Row]:
        """Yield the rows of any query, unchecked: for checks and repairs."""
        return self._read(query, parameters)

    def write_rows(self, table: str, rows: Iterable[Sequence[str | bytes]]) -> None:
        """Write rows of the hashed columns of a table with their hashes, in place of those with the same keys."""
        columns = HASHED[table]
        query = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}, hash) VALUES ({_marks([*columns, 'hash'])})"
        self._db.executemany(query, (hashed_row(*row) for row in rows))

    def damaged(self, what: str) -> IndexDamagedError:
        """Return the error which says that something stored is not as it was written."""
        return IndexDamagedError(
            f"{what} in {self.folder / FILE_NAME} is not as it was stored; run `rag-qa doctor --repair --index "
            f"{self.folder}`"
        )

    def _sound(self, table: str, where: str = "", parameters: Sequence[str | bytes] = ()) -> Iterator[Row]:
        """Yield the hashed columns of rows of a table. Raises IndexDamagedError at a row that differs from its hash."""
        columns = HASHED[table]
        query = f"SELECT {', '.join(columns)}, {self._hash} FROM {table} {where}"
        for row in self._read(query, parameters):
            self._check(table, row[:-1], row[-1])
            yield row[:-1]

    def _check(self, table: str, values: Sequence[str | bytes], known: bytes) -> None:
        if self.has_hashes and not _is_hash_of(known, values):
            raise self.damaged(row_name(table, values))

    def _has_hashes(self) -> bool:
        return bool(
            self._db.execute("SELECT 1 FROM pragma_table_info('papers') WHERE name = 'hash'").fetchone()
        )

    def _add_hashes(self) -> None:
        """Add hashes to an index that was written without them."""
        with self.transaction():
            for table, columns in HASHED.items():
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN hash BLOB NOT NULL DEFAULT x''")
                self._db.execute(f"UPDATE {table} SET hash = row_hash({', '.join(columns)})")
            manifest = self.manifest()
            if manifest is not None:
                self.write_manifest(manifest.model_copy(update={"schema_version": SCHEMA_VERSION}))

    # --- SQLite

    def _has_tables(self) -> bool:
        return bool(self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone())

    def _select(self, query: str, keys: Sequence[str | bytes]) -> Iterator[Row]:
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            yield from self._read(query.format(_marks(chunk)), chunk)

    def _read(self, query: str, parameters: Sequence[str | bytes] = ()) -> Iterator[Row]:
        with self._translated_errors():
            # Not "yield from", which closes the cursor when an error ends the reading: the file may be closed by then.
            for row in self._db.execute(query, parameters):  # noqa: UP028
                yield row

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Raise SQLite's errors as ours: damage, or a full disk or a missing permission; the rest are bugs."""
        path = self.folder / FILE_NAME
        try:
            yield
        except (sqlite3.DatabaseError, ValidationError) as exc:
            if _code(exc) in DAMAGE:
                raise IndexDamagedError(
                    f"{path} cannot be read ({_first_line(exc)}); run `rag-qa doctor --repair --index {self.folder}`, "
                    "or move the folder away and build it again with `rag-qa index`"
                ) from exc
            if isinstance(exc, sqlite3.OperationalError):
                raise PaperIndexError(
                    f"{path} cannot be used ({exc}); check whether the disk is full and whether you may write "
                    "there"
                ) from exc
            raise


def _is_hash_of(known: object, values: Sequence[object]) -> bool:
    """Return whether a stored hash is that of a row, whose values may be of any type in a damaged file."""
    return all(isinstance(value, str | bytes) for value in values) and known == row_hash(*values)  # type: ignore[arg-type]


def _marks(values: Sequence[object]) -> str:
    """Return a question mark for each value, for a query."""
    return ",".join("?" * len(values))


def _first_line(exc: Exception) -> str:
    return str(exc).partition("\n")[0]


def _code(exc: Exception) -> int:
    """Return SQLite's primary code, the lowest byte. An error of Python over invalid UTF-8 has none and is damage."""
    code: int = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF


def _connect(path: Path | str, *, uri: bool = False) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False, uri=uri)
    db.create_function("row_hash", -1, row_hash, deterministic=True)
    return db


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect for reading, also if SQLite cannot write its shared-memory files beside the file."""
    db = _connect(path)
    try:
        db.execute("SELECT 1 FROM sqlite_master").fetchone()
        return db
    except sqlite3.OperationalError as exc:
        db.close()
        if _code(exc) not in NOT_WRITABLE:
            raise
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size:
        return _connect_to_copy(path, log)
    return _connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)


def _connect_to_copy(*files: Path) -> sqlite3.Connection:
    """Connect to a copy of a file and its log: SQLite must write the log into the file before it can read it."""
    with TemporaryDirectory() as folder:
        copies = [Path(shutil.copyfile(file, Path(folder, file.name))) for file in files]
        db = _connect(copies[0])
        # From now on SQLite needs only the open file, which stays readable after it is deleted.
        db.execute("PRAGMA journal_mode = DELETE").fetchone()
    return db
