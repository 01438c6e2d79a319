"""Connections to an SQLite file: for writing, and for reading where nothing can be written beside it.

SQLite reads a file in WAL mode with the help of two files beside it, which it makes when it opens the file. Where it
cannot (a read-only mount, somebody else's folder, a full disk), the file is read as one that nobody changes.
"""

import shutil
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rag_qa.errors import PaperIndexError
from rag_qa.index.integrity import row_hash

# What SQLite says where it cannot make its files; on a full disk it is SQLITE_IOERR.
NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)
TIMEOUT_S = 30
TRIES = 5


class FileState(NamedTuple):
    """What changes when a file is written to or replaced."""

    inode: int
    size: int
    mtime_ns: int


def file_state(path: Path) -> FileState:
    """Return the present state of a file. Raises OSError."""
    status = path.stat()
    return FileState(status.st_ino, status.st_size, status.st_mtime_ns)


def connect(path: Path | str, *, uri: bool = False) -> sqlite3.Connection:
    """Connect for writing; the file is made if it is missing."""
    db = sqlite3.connect(path, timeout=TIMEOUT_S, isolation_level=None, check_same_thread=False, uri=uri)
    db.create_function("row_hash", -1, row_hash, deterministic=True)
    return db


def connect_to_read(path: Path) -> tuple[sqlite3.Connection, FileState | None]:
    """Connect for reading; return also the state of the file if no lock keeps it from being changed meanwhile.

    Raises sqlite3.Error, PaperIndexError if an unfinished update cannot be recovered.
    """
    db = connect(path)
    try:
        db.execute("SELECT 1 FROM sqlite_master").fetchone()
        return db, None
    except sqlite3.OperationalError as exc:
        db.close()
        if code_of(exc) not in NOT_WRITABLE:
            raise
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size:
        return _connect_to_copy(path, log), None
    state = file_state(path)
    return connect(f"{path.absolute().as_uri()}?immutable=1", uri=True), state


def _connect_to_copy(*files: Path) -> sqlite3.Connection:
    """Connect to a copy of a file and its log: SQLite must write the log into the file before it can read it."""
    with TemporaryDirectory() as folder:
        try:
            copies = _copy_unchanged(files, Path(folder))
        except OSError as exc:
            raise PaperIndexError(
                f"{files[0]} holds an update that was not finished, and there is no room for a copy to recover it "
                f"({exc.strerror or exc}); free some space, or set TMPDIR to a folder with more"
            ) from exc
        db = connect(copies[0])
        # From now on SQLite needs only the open file, which stays readable after it is deleted.
        db.execute("PRAGMA journal_mode = DELETE").fetchone()
    return db


def _copy_unchanged(files: tuple[Path, ...], folder: Path) -> list[Path]:
    """Copy files into a folder, again if they change meanwhile. Raises OSError."""
    for _ in range(TRIES):
        before = [file_state(file) for file in files]
        copies = [Path(shutil.copyfile(file, folder / file.name)) for file in files]
        if [file_state(file) for file in files] == before:
            return copies
    raise OSError("another process keeps writing to it")


def code_of(exc: Exception) -> int:
    """Return SQLite's primary code, the lowest byte. An error of Python over invalid UTF-8 has none and is damage."""
    code: int = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF
