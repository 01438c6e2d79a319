"""SHA-256 of large files, remembered in the user's cache folder so that a second look costs nothing."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from rag_qa.backends.home import home_folder

MEMORY_NAME = "hashes.json"


def file_sha256(path: Path, *, memory: Path | None = None) -> str:
    """Return the hex SHA-256 of a file; it is read again only when its path, size or time changed.

    `memory` is the file that remembers (default: in the user's cache folder). Raises OSError if the file
    cannot be read; a memory that cannot be read or written only costs time.
    """
    memory = memory or memory_file(user_cache_path, MEMORY_NAME)
    resolved = path.resolve()
    stat = resolved.stat()
    key = f"{resolved}|{stat.st_size}|{stat.st_mtime_ns}"
    known = read_memory(memory)
    if key not in known:
        with resolved.open("rb") as stream:
            known[key] = hashlib.file_digest(stream, "sha256").hexdigest()
        write_memory(memory, known)
    return known[key]


def memory_file(of: Callable[[str], Path], name: str) -> Path | None:
    """Return the memory of this name in the user's cache folder, as platformdirs names it; None without a home."""
    folder = home_folder(of)
    return folder / name if folder else None


def read_memory(memory: Path | None) -> dict[str, str]:
    """Return what a memory file holds; nothing if there is none or it is damaged."""
    if memory is None:
        return {}
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def write_memory(memory: Path | None, known: dict[str, str]) -> None:
    """Replace a memory file in one step, so that two processes cannot damage it; give up silently."""
    if memory is None:
        return
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=memory.parent, prefix=memory.name)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(known, stream, indent=1)
        os.replace(name, memory)
