"""What the user names → files to read, in an order that does not depend on where or when it is asked."""

import glob
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from rag_qa.errors import SourceError
from rag_qa.types import Value

STDIN = "-"
# A folder that holds one of these is an index of ours or of Chroma: its files are no papers.
INDEX_MARKERS = ("papers.sqlite3", "chroma.sqlite3")


class SourceFile(Value):
    """A file of papers. `digest` is the SHA-256 of its raw bytes in hex; `content` is kept for pipes only."""

    path: str
    digest: str
    content: bytes | None = Field(default=None, repr=False)

    def read_bytes(self) -> bytes:
        """Return the raw bytes; raises SourceError when the file cannot be read."""
        if self.content is not None:
            return self.content
        try:
            return Path(self.path).read_bytes()
        except OSError as exc:
            raise _unreadable(self.path, exc) from exc


def expand_sources(sources: Sequence[str | Path], *, skip: Sequence[str | Path] = ()) -> list[SourceFile]:
    """Return the files that the sources name: files, folders (recursive), globs, "-" for standard input.

    Paths are absolute and resolved; each file stands once, in the order of the sources, sorted within each.
    Hidden files, index folders and the folders in `skip` are left out of folders. Raises SourceError when a
    source names nothing or cannot be read.
    """
    skipped = {Path(folder).expanduser().resolve() for folder in skip}
    files: dict[str, SourceFile] = {}
    for source in sources:
        for path in _expand(str(source), skipped):
            if path not in files:
                files[path] = _describe(path)
    return list(files.values())


def _expand(source: str, skipped: set[Path]) -> list[str]:
    if source == STDIN:
        return [STDIN]
    path = Path(source).expanduser()
    if path.is_dir():
        found = sorted(_walk(path.resolve(), skipped))
        return found or _nothing(f"The folder {source} holds no file to read")
    if path.exists():
        return [str(path.resolve()) if path.is_file() else str(path.absolute())]
    matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(source) else []
    if not matches:
        return _nothing(f"There is no file, folder or glob match for {source}")
    return [found for match in matches for found in _expand_match(Path(match), skipped)]


def _expand_match(match: Path, skipped: set[Path]) -> list[str]:
    return sorted(_walk(match.resolve(), skipped)) if match.is_dir() else [str(match.resolve())]


def _walk(folder: Path, skipped: set[Path]) -> Iterator[str]:
    """Yield the regular files below a folder, leaving out hidden ones and index folders."""
    for parent, folders, names in os.walk(folder, onerror=_raise):
        if Path(parent) in skipped or any(marker in names for marker in INDEX_MARKERS):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file():
                yield str(path.resolve())


def _describe(path: str) -> SourceFile:
    """Return the file with its digest; pipes are read here, because they can be read only once."""
    try:
        path.encode()
        if path == STDIN:
            return _held(path, sys.stdin.buffer.read())
        if stat.S_ISFIFO(os.stat(path).st_mode):
            return _held(path, Path(path).read_bytes())
        with open(path, "rb") as stream:
            return SourceFile(path=path, digest=hashlib.file_digest(stream, "sha256").hexdigest())
    except UnicodeEncodeError as exc:
        message = f"The file name {path!r} is not valid UTF-8: rename the file and try again"
        raise SourceError(message) from exc
    except OSError as exc:
        raise _unreadable(path, exc) from exc


def _held(path: str, content: bytes) -> SourceFile:
    return SourceFile(path=path, digest=hashlib.sha256(content).hexdigest(), content=content)


def _nothing(problem: str) -> list[str]:
    raise SourceError(
        f"{problem}: check the spelling, or name a file, a folder, a quoted glob or - for stdin"
    )


def _raise(exc: OSError) -> None:
    raise _unreadable(str(exc.filename), exc) from exc


def _unreadable(path: str, exc: OSError) -> SourceError:
    reason = exc.strerror or type(exc).__name__
    return SourceError(
        f"Cannot read {path} ({reason}): check that it exists and that you may read it (ls -l)"
    )
