"""One writer at a time, by a lock file that the operating system frees when the writer dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_qa.errors import IndexLockedError

LOCK_NAME = "writer.lock"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the index's write lock. Raises IndexLockedError at once where another process holds it."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK_NAME, timeout=0)
    try:
        lock.acquire()
    except Timeout as exc:
        raise IndexLockedError(
            f"another process is writing to {folder}; wait until it ends and run the command again"
        ) from exc
    try:
        yield
    finally:
        lock.release()
