"""Folders of the user, who may have no home: a numeric user of a container or a cluster."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def home_folder(of: Callable[[str], Path]) -> Path | None:
    """Return our folder of a kind, such as `user_cache_path` of platformdirs; None where the user has no home."""
    try:
        return of("rag_qa")
    except RuntimeError:
        return None


@contextmanager
def some_home() -> Iterator[None]:
    """Let a library ask for the user's home while it is imported, though it will not need it."""
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
