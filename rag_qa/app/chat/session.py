"""Conversations on disk: each turn is appended when it ends, and `chat --resume` continues from there.

A session is a file of JSON lines that only its user can read: a header, then an entry for each thing that happened.
"""

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from platformdirs import user_data_path
from pydantic import ValidationError

from rag_qa.app.nearest import did_you_mean
from rag_qa.backends.home import home_folder
from rag_qa.errors import SessionError
from rag_qa.files import OWNER_FILE, make_private_folder
from rag_qa.types import EVERY_PAPER, Answer, Filter, Value

SESSION_VERSION = 1
FOLDER_VARIABLE = "RAG_QA_SESSIONS_DIR"
LAST = "last"
SUFFIX = ".jsonl"
_LISTED = "`rag-qa chat --sessions` lists those that are saved"


class SessionHeader(Value):
    """The first line of a session: when it began, and the folder of its index."""

    session_version: int
    id: str
    index: str
    started: str


class SessionEntry(Value):
    """A later line: an answer, the last turn undone, or a change of the filter or of /literal."""

    answer: Answer | None = None
    undone: bool = False
    filter: Filter | None = None
    literal: bool | None = None


class SavedSession(Value):
    """A session as read. `damaged`: its last line was incomplete and is ignored. `size`: bytes that could be read."""

    header: SessionHeader
    turns: tuple[Answer, ...]
    filter: Filter
    literal: bool
    damaged: bool
    size: int


class Session:
    """Appends what happens in a conversation to its file, which is created with the first entry.

    If the file cannot be written, `warn` is called once, and the conversation continues unsaved.
    """

    def __init__(
        self, folder: Path, index: Path, *, warn: Callable[[str], None], name: str | None = None
    ) -> None:
        """Begin a session, or continue the one of this name."""
        self._folder = folder
        self._index = index
        self._warn = warn
        self._failed = False
        self.name = name

    def add(self, entry: SessionEntry) -> None:
        """Append an entry."""
        if self._failed:
            return
        try:
            name = self.name or self._begin()
            _append(self._folder / f"{name}{SUFFIX}", entry)
            self.name = name
        except OSError as exc:
            self._failed = True
            self._warn(
                f"this conversation is not saved ({exc}); make room, or name a folder with {FOLDER_VARIABLE}"
            )

    def _begin(self) -> str:
        """Write the header into a new file, named after the time; return the name."""
        make_private_folder(self._folder)
        now = datetime.now().astimezone()
        for number in range(1, 1000):
            name = f"{now:%Y-%m-%d-%H%M%S}" + (f"-{number}" if number > 1 else "")
            header = SessionHeader(
                session_version=SESSION_VERSION,
                id=name,
                index=index_path(self._index),
                started=now.isoformat(timespec="seconds"),
            )
            with contextlib.suppress(FileExistsError):
                _append(self._folder / f"{name}{SUFFIX}", header, new=True)
                return name
        raise OSError(f"{self._folder} is full of sessions")


def _append(path: Path, value: Value, *, new: bool = False) -> None:
    """Append a value as one line of ASCII, to a file that only its user can read."""
    line = json.dumps(value.model_dump(mode="json", exclude_defaults=not new)) + "\n"
    flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT | os.O_EXCL if new else 0)
    with open(os.open(path, flags, OWNER_FILE), "wb") as file:
        file.write(line.encode("ascii"))


def index_path(index: Path) -> str:
    """Return the absolute path of an index, which identifies it in sessions."""
    return str(index.resolve())


def sessions_folder() -> Path | None:
    """Return the folder of sessions: RAG_QA_SESSIONS_DIR, else one in the user's data folder, else None."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(os.path.expanduser(chosen))
    data = home_folder(user_data_path)
    return data / "sessions" if data else None


def saved_sessions(folder: Path | None) -> list[str]:
    """Return the names of the saved sessions, the last written first."""
    try:
        files = [(path.stat().st_mtime_ns, path.stem) for path in (folder or Path()).glob(f"*{SUFFIX}")]
    except OSError:
        return []
    return [name for _, name in sorted(files, reverse=True)] if folder else []


def read_session(path: Path) -> SavedSession:
    """Read a session; an incomplete last line is left out. Raises SessionError if it cannot be read."""
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise SessionError(f"{path} cannot be read ({exc}); {_LISTED}") from exc
    *lines, rest = raw.split(b"\n")
    header = _read_header(path, lines[:1])
    entries, bad = _read_entries(lines[1:])
    if bad and bad < len(lines) - 1:
        raise SessionError(
            f"line {bad + 1} of {path} is damaged; remove that line, or begin a new one without --resume"
        )
    size = sum(len(line) + 1 for line in lines[: bad or None])
    return _replayed(header, entries, damaged=bool(rest or bad), size=size)


def _read_header(path: Path, lines: Sequence[bytes]) -> SessionHeader:
    try:
        header = SessionHeader.model_validate_json(lines[0])
    except (IndexError, ValidationError) as exc:
        raise SessionError(f"{path} is not a saved conversation; {_LISTED}") from exc
    if header.session_version > SESSION_VERSION:
        raise SessionError(f"{path} was saved by a newer rag_qa; install the version that wrote it")
    return header


def _read_entries(lines: Sequence[bytes]) -> tuple[list[SessionEntry], int]:
    """Return the entries before the first that cannot be read, and the number of that one, 0 if all can be read."""
    entries: list[SessionEntry] = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(SessionEntry.model_validate_json(line))
        except ValidationError:
            return entries, number
    return entries, 0


def _replayed(
    header: SessionHeader, entries: Sequence[SessionEntry], *, damaged: bool, size: int
) -> SavedSession:
    turns: list[Answer] = []
    filter, literal = EVERY_PAPER, False
    for entry in entries:
        turns = turns[:-1] if entry.undone else turns
        turns += [entry.answer] if entry.answer else []
        filter = entry.filter or filter
        literal = literal if entry.literal is None else entry.literal
    return SavedSession(
        header=header, turns=tuple(turns), filter=filter, literal=literal, damaged=damaged, size=size
    )


def find_session(name: str, index: Path, folder: Path | None) -> SavedSession:
    """Return the session with this name or beginning of a name, or the `last` one of this index.

    A damaged last line is removed from its file. Raises SessionError if there is no such session, or if it belongs to
    another index.
    """
    names = saved_sessions(folder)
    path = (
        folder or Path()
    ) / f"{_last_of(names, index, folder) if name == LAST else _named(name, names)}{SUFFIX}"
    saved = read_session(path)
    if saved.header.index != index_path(index):
        raise SessionError(
            f"session {saved.header.id} belongs to the index {saved.header.index}; resume it with --index "
            f"{saved.header.index}, or begin a new one without --resume"
        )
    if saved.damaged:
        _cut(path, saved.size)
    return saved


def _last_of(names: Sequence[str], index: Path, folder: Path | None) -> str:
    for name in names:
        with contextlib.suppress(SessionError):
            if read_session((folder or Path()) / f"{name}{SUFFIX}").header.index == index_path(index):
                return name
    raise SessionError(f"no conversation with the index {index} is saved; begin one with `rag-qa chat`")


def _named(wanted: str, names: Sequence[str]) -> str:
    found = [name for name in names if name == wanted] or [name for name in names if name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise SessionError(f"{len(found)} sessions begin with {wanted!r}; write more of the name: {_LISTED}")
    raise SessionError(f"there is no session {wanted!r}{did_you_mean(wanted, names)}; {_LISTED}")


def _cut(path: Path, size: int) -> None:
    try:
        os.truncate(path, size)
    except OSError as exc:
        raise SessionError(
            f"{path} ends in a damaged line that cannot be removed ({exc}); make it writable, or begin a new one"
        ) from exc
