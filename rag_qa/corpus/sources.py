"""Sources named by the user → files to read, always in the same order."""

import glob
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from pydantic import Field

from rag_qa.corpus.limits import DEFAULT, Limits, OverLimit, check_file
from rag_qa.errors import SourceError
from rag_qa.text.lines import PIECE
from rag_qa.types import Value

STDIN = "-"
# A folder with one of these files is an index, ours or Chroma's, and is not read as papers.
INDEX_MARKERS = ("papers.sqlite3", "chroma.sqlite3")
_ESCAPED_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")


class SourceFile(Value):
    """A file of papers.

    `digest` is the SHA-256 of its bytes in hex. `content` is kept for pipes only. In `path`, bytes that are not UTF-8
    are written as `\\xff`. `problem` says why a file in a folder cannot be read; then `digest` is not a hash.
    """

    path: str
    digest: str
    content: bytes | None = Field(default=None, repr=False)
    problem: str | None = None

    def read_bytes(self, limits: Limits = DEFAULT) -> bytes:
        """Return the bytes of the file. Raises SourceError if it cannot be read, and OverLimit if it is too large."""
        if self.content is not None:
            return self.content
        try:
            with open(_on_disk(self.path), "rb") as stream:
                return _read(stream, limits)
        except OSError as exc:
            raise _unreadable(self.path, exc) from exc


def expand_sources(
    sources: Sequence[str | Path], *, skip: Sequence[str | Path] = (), limits: Limits = DEFAULT
) -> list[SourceFile]:
    """Return the files that sources name, each once, in the order of the sources and sorted within each.

    Args:
        sources: files, folders (read recursively), globs, or "-" for standard input.
        skip: folders to leave out.
        limits: of standard input and pipes, which are read here, no more than a file may have.

    Paths are absolute and resolved. Links to folders are followed, except to a folder that contains the link. Hidden
    files and index folders are left out. A file in a folder or glob that cannot be read is returned with a `problem`.
    Raises SourceError if a source names nothing, or if a named file cannot be read.
    """
    skipped = {os.path.realpath(os.path.expanduser(folder)) for folder in skip}
    files: dict[str, SourceFile] = {}
    for source in sources:
        found, describe = _expand(str(source), skipped)
        for path in found:
            if _shown(path) not in files:
                files[_shown(path)] = describe(path, limits)
    return list(files.values())


def source_exists(path: str) -> bool:
    """Return whether the file of a `SourceFile.path` still exists; True if that cannot be checked."""
    try:
        os.stat(_on_disk(path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _expand(source: str, skipped: set[str]) -> tuple[list[str], Callable[[str, Limits], SourceFile]]:
    """Return the paths that a source names, and how to describe them."""
    if source == STDIN:
        return [STDIN], _describe
    path = _at_home(source)
    if os.path.isdir(path):
        found = sorted(_walk(os.path.realpath(path), skipped))
        return found or _nothing(f"The folder {_shown(source)} holds no file to read"), _describe_found
    if os.path.exists(path):
        return [os.path.realpath(path) if os.path.isfile(path) else os.path.abspath(path)], _describe
    matches = [found for match in _matches(path) for found in _expand_match(match, skipped)]
    return matches or _missing(source, path), _describe_found


def _missing(source: str, path: str) -> NoReturn:
    try:
        os.stat(path)
    except PermissionError as exc:
        raise _unreadable(_shown(path), exc) from exc
    except (OSError, ValueError):
        pass
    _nothing(f"There is no file, folder or glob match for {_shown(source)}")


def _at_home(source: str) -> str:
    """Return the path of a source, with ~ expanded unless a file of that name exists."""
    return source if os.path.lexists(source) else os.path.expanduser(source)


def _matches(pattern: str) -> list[str]:
    """Return the matches of a glob; its brackets are first read as part of a file name."""
    if not glob.has_magic(pattern):
        return []
    literal = pattern.replace("[", "[[]")
    return sorted(glob.glob(literal, recursive=True) or glob.glob(_partly_literal(pattern), recursive=True))


def _partly_literal(pattern: str) -> str:
    """Return a pattern in which leading folders that exist are taken literally."""
    parts = Path(pattern).parts
    deep = max((n for n in range(1, len(parts)) if os.path.isdir(Path(*parts[:n]))), default=0)
    return str(Path(glob.escape(str(Path(*parts[:deep]))), *parts[deep:]))


def _expand_match(match: str, skipped: set[str]) -> list[str]:
    real = os.path.realpath(match)
    return sorted(_walk(real, skipped)) if os.path.isdir(match) else [real]


def _walk(folder: str, skipped: set[str]) -> Iterator[str]:
    """Yield the regular files below a folder, and folders and links that cannot be read.

    Hidden files and index folders are left out.
    """
    closed: list[str] = []
    entered = set(skipped)
    for parent, folders, names in os.walk(
        folder, onerror=lambda exc: closed.append(exc.filename), followlinks=True
    ):
        real = os.path.realpath(parent)
        if real in entered or any(marker in names for marker in INDEX_MARKERS):
            folders.clear()
            continue
        entered.add(real)
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not _leads_out(os.path.join(parent, name))
        ]
        for name in names:
            path = os.path.join(parent, name)
            if name.startswith("."):
                continue
            if os.path.isfile(path):
                yield os.path.realpath(path)
            elif not os.path.exists(path):
                yield path
    yield from closed


def _leads_out(folder: str) -> bool:
    """Return whether a folder is a link to a folder that contains it."""
    if not os.path.islink(folder):
        return False
    target = os.path.realpath(folder)
    return os.path.commonpath([target, os.path.realpath(os.path.dirname(folder))]) == target


def _describe_found(path: str, limits: Limits) -> SourceFile:
    """Return a file found in a folder or by a glob, with a `problem` if it cannot be read."""
    try:
        return _describe(path, limits)
    except SourceError as exc:
        return SourceFile(path=_shown(path), digest=f"unreadable: {exc}", problem=str(exc))


def _describe(path: str, limits: Limits) -> SourceFile:
    """Return the file with its digest. Pipes are read here, because they can be read only once."""
    if path == STDIN:
        return _held(path, _standard_input(), limits)
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode):
            with open(path, "rb") as pipe:
                return _held(_shown(path), pipe, limits)
        with open(path, "rb") as stream:
            return SourceFile(path=_shown(path), digest=hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as exc:
        raise _unreadable(_shown(path), exc) from exc


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        return _nothing("Standard input is closed")
    return sys.stdin.buffer


def _read(stream: BinaryIO, limits: Limits) -> bytes:
    """Return the bytes of an open file. Raises OverLimit, without reading it, if it is too large."""
    with suppress(OSError):  # standard input may be no real file
        check_file(os.fstat(stream.fileno()).st_size, limits)
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(PIECE):
        pieces.append(piece)
        size += len(piece)
        check_file(size, limits)
    return b"".join(pieces)


def _shown(path: str) -> str:
    """Return a path as text that can be stored and printed, with `\\xff` for bytes that are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _on_disk(path: str) -> str:
    """Return the path on disk of a path as `_shown` writes it."""
    name = path.encode()
    if not os.path.lexists(name):
        name = _ESCAPED_BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), name)
    return os.fsdecode(name)


def _held(path: str, stream: BinaryIO, limits: Limits) -> SourceFile:
    """Return a file that can be read only once, with its content; with a problem if that is too large."""
    try:
        content = _read(stream, limits)
    except OverLimit as exc:
        return SourceFile(path=path, digest=f"unreadable: {exc}", problem=str(exc))
    return SourceFile(path=path, digest=hashlib.sha256(content).hexdigest(), content=content)


def _nothing(problem: str) -> NoReturn:
    raise SourceError(
        f"{problem}: check the spelling, or name a file, a folder, a quoted glob or - for stdin"
    )


def _unreadable(path: str, exc: OSError) -> SourceError:
    reason = exc.strerror or type(exc).__name__
    return SourceError(
        f"Cannot read {path} ({reason}): check that it exists and that you may read it (ls -l)"
    )
