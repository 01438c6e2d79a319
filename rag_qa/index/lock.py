"""Locks: one writer for an index, by a lock file, and any number of readers for a generation.

The operating system frees both when their process dies, however it dies.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_qa.errors import IndexLockedError, PaperIndexError
from rag_qa.files import make_private_folder, mode_of
from rag_qa.index.database import FILE_NAME, LOCK_NAME


@contextmanager
def writing(folder: Path, *, wait_s: float = 0) -> Iterator[None]:
    """Hold the write lock of an index, making the folder if it is missing, for its user alone.

    Raises IndexLockedError if another process holds it for longer than `wait_s`, PaperIndexError if the folder cannot
    be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK_NAME, timeout=wait_s, mode=mode_of(folder / FILE_NAME))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        make_private_folder(folder)
        lock.acquire()
    except Timeout as exc:
        raise IndexLockedError(
            f"another process is writing to {folder}; wait until it ends and run the command again"
        ) from exc
    except OSError as exc:
        raise PaperIndexError(
            f"{folder} cannot hold an index ({exc.strerror}); free some space, or name a folder that you may write to "
            "with --index"
        ) from exc
    try:
        yield
    finally:
        lock.release()


def hold(generation: Path) -> int | None:
    """Keep a generation's folder from being removed; return a handle for `let_go`, None if the folder is gone."""
    try:
        held = os.open(generation, os.O_RDONLY)
    except OSError:
        return None
    with contextlib.suppress(OSError):  # some file systems have no locks
        fcntl.flock(held, fcntl.LOCK_SH)
    return held


def let_go(held: int | None) -> None:
    """Free the handle that `hold` returned."""
    if held is not None:
        os.close(held)


def is_held(generation: Path) -> bool:
    """Return whether any reader holds the generation."""
    held = os.open(generation, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False
