"""Folders of the user, who may have no home: a numeric user of a container or a cluster."""

from collections.abc import Callable
from pathlib import Path


def home_folder(of: Callable[[str], Path]) -> Path | None:
    """Return our folder of a kind, such as `user_cache_path` of platformdirs; None where the user has no home."""
    try:
        return of("rag_qa")
    except RuntimeError:
        return None
