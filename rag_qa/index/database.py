"""The SQLite file of an index: its tables, who may read it, and rows that are compared with their hashes.

The file's mode says who may read the index: its owner alone, until somebody shares it with `chmod`. SQLite gives the
files that it writes beside it the same mode, and so does `build_derived`.

Rows have hashes beside them (rag_qa.index.integrity), which are compared whenever a row is read. An index of a version
without hashes is read as it is, and gets them when it is next written. What the rows mean stands in rag_qa.index.store.
"""

import contextlib
import logging
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from rag_qa.errors import IndexDamagedError, PaperIndexError
from rag_qa.files import OWNER_FILE, is_shared, mode_of, owner_only, set_modes
from rag_qa.index.connecting import FileState, code_of, connect, connect_to_read, file_state
from rag_qa.index.integrity import HASHED, hashed_row, row_hash, row_name

FILE_NAME = "papers.sqlite3"
LOCK_NAME = "writer.lock"
# Marks a file whose mode is the user's choice: it was made, or once changed, to be readable by its owner alone.
APPLICATION_ID = int.from_bytes(b"rgqa")
logger = logging.getLogger(__name__)
CHUNK = 500
# SQLITE_CONSTRAINT: rows are there that should have gone with others.
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT)
# How SQLite's errors begin for a table or a column that is missing, and for a record that is no JSON.
MALFORMED = ("no such ", "malformed")
# A vector of 384 dimensions does not fit into SQLite's own 4,096 bytes, and would take a page more.
PAGE_BYTES = 8192

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
TABLES = frozenset(re.findall(r"CREATE TABLE (\w+)", SCHEMA))

# Made in indexes of any version. A record that an older version replaces loses its links, and so counts as new.
LINKS = """
CREATE TABLE IF NOT EXISTS links (
    source TEXT NOT NULL, id TEXT NOT NULL, bands BLOB NOT NULL, keys BLOB NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (source, id)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS record_gone AFTER DELETE ON records BEGIN
    DELETE FROM links WHERE source = old.source AND id = old.id;
END;
"""

Row = tuple[Any, ...]


class Database:
    """The SQLite file. `create` opens it for writing, `open` for reading; each read is checked against its hashes."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self.folder = folder
        self._closed = False
        self._unlocked: FileState | None = None
        # What stands for the hash of a row: an index of a version without hashes has none.
        self._hash = "hash"

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Open for writing, and create the file if it is missing, for its user alone.

        The files of an index from a version that did not do so are made private once. Raises IndexDamagedError,
        PaperIndexError.
        """
        with contextlib.suppress(OSError):  # it is there, or SQLite says why it cannot be made
            open(folder / FILE_NAME, "xb", opener=owner_only).close()
        store = cls(connect(":memory:"), folder)
        try:
            with store._translated_errors():
                store._db.close()
                store._db = connect(folder / FILE_NAME)
                is_new = not store._has_tables()
                store._db.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a file that is new
                store._db.execute("PRAGMA journal_mode = WAL")
                store._db.execute("PRAGMA synchronous = NORMAL")
                if is_new:
                    store._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
                if not store._has_hashes():
                    store._add_hashes()
                if not store._has_table("links"):
                    store._db.executescript(f"BEGIN IMMEDIATE; {LINKS} COMMIT;")
                store._make_private()
        except BaseException:
            store.close()
            raise
        return store

    def _make_private(self) -> None:
        """Make every file readable by its owner alone, if that was never done."""
        if self._db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
            return
        before = self.mode
        set_modes(self._files(), OWNER_FILE)
        self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        if is_shared(before) and not is_shared(self.mode):
            logger.warning(
                "%s was readable by other users and is now yours alone; `chmod -R g+rX %s` shares it with your group",
                self.folder,
                self.folder,
            )

    def _files(self) -> list[Path]:
        """Return what an index consists of: files, and a folder of files."""
        names = [*(f"{FILE_NAME}{ending}" for ending in ("", "-wal", "-shm")), LOCK_NAME, "derived"]
        return [self.folder / name for name in names]

    @property
    def mode(self) -> int:
        """Who may read and write the files of the index, as permission bits."""
        return mode_of(self.folder / FILE_NAME)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open for reading, pinned to the last finished update; a missing file is read as an empty one.

        The folder may be read-only: a mount, a snapshot, or somebody else's. Raises IndexDamagedError, PaperIndexError.
        """
        store = cls(connect(":memory:"), folder)
        try:
            with store._translated_errors():
                store._open()
        except BaseException:
            store.close()
            raise
        return store

    def _open(self) -> None:
        path = self.folder / FILE_NAME
        if path.exists():
            self._db.close()
            self._db, self._unlocked = connect_to_read(path)
        if not self._has_tables():
            self._db.close()
            self._db = connect(":memory:")
            self._db.executescript(SCHEMA)
        self._db.execute("PRAGMA query_only = ON")
        self._db.execute("BEGIN")
        self._db.execute("SELECT count(*) FROM meta").fetchone()
        self._hash = "hash" if self._has_hashes() else "x''"

    def close(self) -> None:
        """Close the file; an open transaction is rolled back."""
        self._closed = True
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

    def rows(self, query: str, parameters: Sequence[str | bytes] = ()) -> Iterator[Row]:
        """Yield the rows of any query, unchecked: for checks and repairs."""
        return self._read(query, parameters)

    def write_rows(self, table: str, rows: Iterable[Sequence[str | bytes]]) -> None:
        """Write rows of the hashed columns of a table with their hashes, in place of those with the same keys."""
        columns = HASHED[table]
        query = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}, hash) VALUES ({marks([*columns, 'hash'])})"
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
        if self.has_hashes and not is_hash_of(known, values):
            raise self.damaged(row_name(table, values))

    def _has_hashes(self) -> bool:
        return bool(
            self._db.execute("SELECT 1 FROM pragma_table_info('papers') WHERE name = 'hash'").fetchone()
        )

    def _add_hashes(self) -> None:
        """Add hashes to tables that were written without them."""
        for table, columns in HASHED.items():
            self._db.execute(f"ALTER TABLE {table} ADD COLUMN hash BLOB NOT NULL DEFAULT x''")
            self._db.execute(f"UPDATE {table} SET hash = row_hash({', '.join(columns)})")

    # --- SQLite

    def _has_tables(self) -> bool:
        """Return whether the file has the tables of an index, False if it has none. Raises IndexDamagedError."""
        found = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if found and not found.issuperset(TABLES):
            raise IndexDamagedError(
                f"{self.folder / FILE_NAME} is no index of papers, or has lost its table {min(TABLES - found)!r}; name "
                "another folder with --index, or move the file away and run `rag-qa index`"
            )
        return bool(found)

    def _has_table(self, name: str) -> bool:
        return bool(self._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone())

    def _select(self, query: str, keys: Sequence[str | bytes]) -> Iterator[Row]:
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            yield from self._read(query.format(marks(chunk)), chunk)

    def _read(self, query: str, parameters: Sequence[str | bytes] = ()) -> Iterator[Row]:
        with self._translated_errors():
            # `yield from` would close the cursor, also of a closed file.
            for row in self._db.execute(query, parameters):  # noqa: UP028
                yield row
            if self._unlocked is not None and self._unlocked != file_state(self.folder / FILE_NAME):
                raise PaperIndexError(f"{self.folder} was updated while it was read; open it again")

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Raise errors as ours: damage, a full disk, a missing permission, use after close; the rest are bugs."""
        path = self.folder / FILE_NAME
        try:
            yield
        except sqlite3.ProgrammingError as exc:
            if not self._closed:
                raise
            raise PaperIndexError(f"the index in {self.folder} is closed; open it again") from exc
        except OSError as exc:
            raise PaperIndexError(
                f"{exc.filename or path} cannot be used ({exc.strerror or exc}); check whether the disk is full and "
                "whether you may read and write there"
            ) from exc
        except (sqlite3.DatabaseError, ValidationError) as exc:
            if code_of(exc) in DAMAGE or str(exc).startswith(MALFORMED):
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


def is_hash_of(known: object, values: Sequence[object]) -> bool:
    """Return whether a stored hash is that of a row, whose values may be of any type in a damaged file."""
    return all(isinstance(value, str | bytes) for value in values) and known == row_hash(*values)  # type: ignore[arg-type]


def marks(values: Sequence[object]) -> str:
    """Return a question mark for each value, for a query."""
    return ",".join("?" * len(values))


def _first_line(exc: Exception) -> str:
    return str(exc).partition("\n")[0]
