"""The store: one SQLite file with sources, records, papers, passages and vectors. All else is built from it.

A *record* is one entry of one source; a *paper* is made of one or more merged records. Vectors are kept by the hash of
the embedded text and committed batch by batch, so an interrupted run embeds nothing twice. Everything else changes in
one transaction. A reader keeps one read transaction open, so it sees the index as it was when opened.

The file's mode says who may read the index: its owner alone, until somebody shares it with `chmod`. SQLite gives the
files that it writes beside it the same mode, and so does `build_derived`.
Rows have hashes beside them (rag_qa.index.integrity), which are compared whenever a row is read. An index of a version
without hashes is read as it is, and gets them when it is next written.
"""

import contextlib
import logging
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from rag_qa.errors import IndexDamagedError, PaperIndexError
from rag_qa.files import OWNER_FILE, is_shared, mode_of, owner_only, set_modes
from rag_qa.index.connecting import FileState, code_of, connect, connect_to_read, file_state
from rag_qa.index.integrity import HASHED, hashed_row, row_hash, row_name
from rag_qa.index.manifest import SCHEMA_VERSION, Manifest, check_schema
from rag_qa.protocols import Matrix
from rag_qa.types import Paper, Passage, Skipped

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
FLOAT32_BYTES = 4
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


class RecordRow(NamedTuple):
    """Where a record is, the paper that it became, and its links (rag_qa.corpus.links) as bytes."""

    source: str
    id: str
    paper_id: str
    bands: bytes | None
    keys: bytes | None


class Store:
    """The SQLite file of an index. Open it with `Store.create` to write and `Store.open` to read."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self.folder = folder
        self._closed = False
        self._unlocked: FileState | None = None
        # What stands for the hash of a row: an index of a version without hashes has none.
        self._hash = "hash"

    @classmethod
    def create(cls, folder: Path) -> "Store":
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
    def open(cls, folder: Path) -> "Store":
        """Open for reading, pinned to the last finished update; a missing file is read as an empty store.

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

    def chroma_collection(self, generation: int) -> str | None:
        """Return the name of a generation's collection in a Chroma server; None if it was not written to one."""
        current = self._meta("chroma_generation") == str(generation)
        return self._meta("chroma_collection") if current else None

    def index_id(self) -> str | None:
        """Return the id by which a Chroma server knows the index; None before it has one."""
        return self._meta("index_id")

    def write_chroma(self, index_id: str, collection: str, generation: int) -> None:
        """Keep the id of the index, the name of its collection, and the generation that this belongs to."""
        rows = [
            ("index_id", index_id),
            ("chroma_collection", collection),
            ("chroma_generation", str(generation)),
        ]
        self.write_rows("meta", rows)

    def _meta(self, key: str) -> str | None:
        found: dict[str, str] = dict(self._sound("meta", "WHERE key = ?", (key,)))
        return found.get(key)

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

    def record_papers(self, path: str) -> list[tuple[int, str, str]]:
        """Return the number, the id and the paper id of each record of a source, in the order of the numbers."""
        number = "json_extract(body, '$.sources[0].record')"
        query = f"SELECT {number}, id, paper_id FROM records WHERE source = ? ORDER BY 1"
        return [(int(row[0]), row[1], row[2]) for row in self._read(query, (path,))]

    def records_of(self, path: str) -> dict[str, Paper]:
        """Return the records of a source, by id."""
        with self._translated_errors():
            rows = self._sound("records", "WHERE source = ?", (path,))
            return {key: Paper.model_validate_json(body) for _, key, body, _ in rows}

    def record(self, source: str, key: str) -> Paper:
        """Return one record. Raises KeyError if there is none."""
        with self._translated_errors():
            for _, _, body, _ in self._sound("records", "WHERE source = ? AND id = ?", (source, key)):
                return Paper.model_validate_json(body)
        raise KeyError(key)

    def linked_records(self) -> list[RecordRow]:
        """Return where each record is, its paper and its links, ordered by source and id.

        The links are None if the record has none, or if they are not as they were stored.
        """
        join = "LEFT JOIN links USING (source, id)" if self._has_table("links") else ""
        links = "bands, keys, links.hash" if join else "NULL, NULL, NULL"
        query = f"SELECT source, id, paper_id, {links} FROM records {join} ORDER BY source, id"
        return [
            RecordRow(*row[:5])
            if _is_hash_of(row[5], (*row[:2], *row[3:5]))
            else RecordRow(row[0], row[1], row[2], None, None)
            for row in self._read(query)
        ]

    def write_records(self, records: Sequence[tuple[RecordRow, Paper]]) -> None:
        """Add records with their links, or replace those with the same source and id."""
        self.write_rows(
            "records", ((row.source, row.id, body.model_dump_json(), row.paper_id) for row, body in records)
        )
        links = (hashed_row(row.source, row.id, row.bands or b"", row.keys or b"") for row, _ in records)
        self._db.executemany("INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?)", links)

    def delete_records(self, rows: Iterable[tuple[str, str]]) -> None:
        """Remove records with their links, by source and id."""
        self._db.executemany("DELETE FROM records WHERE source = ? AND id = ?", rows)

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
            yield PassageRow(*row[:5]), self._checked_vector(row[5])

    def _checked_vector(self, vector: object) -> bytes:
        if isinstance(vector, bytes) and len(vector) == self._vector_bytes:
            return vector
        raise self.damaged(f"a vector that does not have {self._vector_bytes} bytes")

    @cached_property
    def _vector_bytes(self) -> int:
        manifest = self.manifest()
        return FLOAT32_BYTES * manifest.embedder.dimension if manifest else 0

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
            yield from self._read(query.format(_marks(chunk)), chunk)

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


def _is_hash_of(known: object, values: Sequence[object]) -> bool:
    """Return whether a stored hash is that of a row, whose values may be of any type in a damaged file."""
    return all(isinstance(value, str | bytes) for value in values) and known == row_hash(*values)  # type: ignore[arg-type]


def _marks(values: Sequence[object]) -> str:
    """Return a question mark for each value, for a query."""
    return ",".join("?" * len(values))


def _first_line(exc: Exception) -> str:
    return str(exc).partition("\n")[0]
