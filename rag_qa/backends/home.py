"""The user's folders. A user may have no home, such as a numeric user of a container or a cluster."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def home_folder(of: Callable[[str], Path]) -> Path | None:
    """Return rag_qa's folder of a kind, such as `user_cache_path` of platformdirs; None if the user has no home."""
    try:
        return of("rag_qa")
    except RuntimeError:
        return None


@contextmanager
def some_home() -> Iterator[None]:
    """Set HOME, if it is missing, for the import of a library that asks for it without need."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = tempfile.gettempdir()
        try:
            yield
        finally:
            del os.environ["HOME"]
    else:
        yield
