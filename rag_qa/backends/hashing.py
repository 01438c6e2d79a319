"""SHA-256 of large files, remembered in the user's cache folder."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from rag_qa.backends.home import home_folder
from rag_qa.files import make_private_folder

MEMORY_NAME = "hashes.json"


def file_sha256(path: Path, *, memory: Path | None = None) -> str:
    """Return the SHA-256 of a file in hexadecimal; it is read again only if its path, size or time has changed.

    `memory` is the file of remembered hashes (default: in the user's cache folder); if it cannot be read or written,
    that only costs time. Raises OSError if the file cannot be read.
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
    """Return a memory file in a folder of the user, such as `user_cache_path`; None without a home."""
    folder = home_folder(of)
    return folder / name if folder else None


def read_memory(memory: Path | None) -> dict[str, str]:
    """Return the contents of a memory file; empty if it is missing or damaged."""
    if memory is None:
        return {}
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def write_memory(memory: Path | None, known: dict[str, str]) -> None:
    """Replace a memory file in one step, so that two processes cannot damage it. Errors are ignored."""
    if memory is None:
        return
    with contextlib.suppress(OSError):
        make_private_folder(memory.parent)
        handle, name = tempfile.mkstemp(dir=memory.parent, prefix=memory.name)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(known, stream, indent=1)
        os.replace(name, memory)
