"""Who holds what: one writer an index, by a lock file, and any number of readers a generation.

Both are freed by the operating system when their process dies, however it dies.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_qa.errors import IndexLockedError, PaperIndexError

LOCK_NAME = "writer.lock"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the index's write lock, making the folder where there is none.

    Raises IndexLockedError at once where another process holds it, PaperIndexError where it cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK_NAME, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as exc:
        raise IndexLockedError(
            f"another process is writing to {folder}; wait until it ends and run the command again"
        ) from exc
    except OSError as exc:
        raise PaperIndexError(
            f"{folder} cannot hold an index ({exc.strerror}); name a folder that you may write to with --index"
        ) from exc
    try:
        yield
    finally:
        lock.release()


def hold(generation: Path) -> int | None:
    """Keep a generation's folder from being removed; returns what `let_go` takes, None where it is gone."""
    try:
        held = os.open(generation, os.O_RDONLY)
    except OSError:
        return None
    with contextlib.suppress(OSError):  # some file systems know no locks
        fcntl.flock(held, fcntl.LOCK_SH)
    return held


def let_go(held: int | None) -> None:
    """End what `hold` began."""
    if held is not None:
        os.close(held)


def is_held(generation: Path) -> bool:
    """Return whether a reader holds the generation."""
    held = os.open(generation, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False
