"""Conversations on disk: each turn is appended as it ends, and `chat --resume` goes on from there.

A session is a file of JSON lines in a folder of its user alone: a header, then what happened, one line each.
"""

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from platformdirs import user_data_path
from pydantic import ValidationError

from rag_qa.app.chat.nearest import did_you_mean
from rag_qa.backends.home import home_folder
from rag_qa.errors import SessionError
from rag_qa.types import EVERY_PAPER, Answer, Filter, Value

SESSION_VERSION = 1
FOLDER_VARIABLE = "RAG_QA_SESSIONS_DIR"
LAST = "last"
SUFFIX = ".jsonl"
_LISTED = "`rag-qa chat --sessions` lists those that are saved"


class Header(Value):
    """The first line of a session: when it began, and the folder of the index that it asks."""

    session_version: int
    id: str
    index: str
    started: str


class Record(Value):
    """A later line: a turn that ended, the last turn taken back, or how the next questions are to be taken."""

    answer: Answer | None = None
    undone: bool = False
    filter: Filter | None = None
    literal: bool | None = None


class SavedSession(Value):
    """A session as read; `damaged` says that its last line was not whole and counts for nothing.

    `size` is the length in bytes of what could be read.
    """

    header: Header
    turns: tuple[Answer, ...]
    filter: Filter
    literal: bool
    damaged: bool
    size: int


class Session:
    """Appends what happens in a conversation to its file, which is begun with the first of it.

    Where the file cannot be written that is said once, and the conversation goes on without it.
    """

    def __init__(
        self, folder: Path, index: Path, *, warn: Callable[[str], None], name: str | None = None
    ) -> None:
        """Begin a session, or go on with the one of this name."""
        self._folder = folder
        self._index = index
        self._warn = warn
        self._failed = False
        self.name = name

    def add(self, record: Record) -> None:
        """Append what happened."""
        if self._failed:
            return
        try:
            name = self.name or self._begin()
            _append(self._folder / f"{name}{SUFFIX}", record)
            self.name = name
        except OSError as exc:
            self._failed = True
            self._warn(
                f"this conversation is not saved ({exc}); make room, or name a folder with {FOLDER_VARIABLE}"
            )

    def _begin(self) -> str:
        """Write the header into a new file, named by the time; return its name."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = datetime.now().astimezone()
        for number in range(1, 1000):
            name = f"{now:%Y-%m-%d-%H%M%S}" + (f"-{number}" if number > 1 else "")
            header = Header(
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
    """Append a value as one line of ASCII, to a file that only its user reads."""
    line = json.dumps(value.model_dump(mode="json", exclude_defaults=not new)) + "\n"
    flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT | os.O_EXCL if new else 0)
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(line.encode("ascii"))


def index_path(index: Path) -> str:
    """Return the one path by which an index is known, however it was named."""
    return str(index.resolve())


def sessions_folder() -> Path | None:
    """Return the folder of sessions: RAG_QA_SESSIONS_DIR, else one in the user's data folder, if there is one."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(os.path.expanduser(chosen))
    data = home_folder(user_data_path)
    return data / "sessions" if data else None


def saved_sessions(folder: Path | None) -> list[str]:
    """Return the names of the sessions that are saved, the one that was last written first."""
    try:
        files = [(path.stat().st_mtime_ns, path.stem) for path in (folder or Path()).glob(f"*{SUFFIX}")]
    except OSError:
        return []
    return [name for _, name in sorted(files, reverse=True)] if folder else []


def read_session(path: Path) -> SavedSession:
    """Read a session; a last line that is not whole is left out. Raises SessionError where it cannot be read."""
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise SessionError(f"{path} cannot be read ({exc}); {_LISTED}") from exc
    *lines, rest = raw.split(b"\n")
    header = _read_header(path, lines[:1])
    records, bad = _read_records(lines[1:])
    if bad and bad < len(lines) - 1:
        raise SessionError(
            f"line {bad + 1} of {path} is damaged; remove that line, or begin anew without --resume"
        )
    size = sum(len(line) + 1 for line in lines[: bad or None])
    return _replayed(header, records, damaged=bool(rest or bad), size=size)


def _read_header(path: Path, lines: Sequence[bytes]) -> Header:
    try:
        header = Header.model_validate_json(lines[0])
    except (IndexError, ValidationError) as exc:
        raise SessionError(f"{path} is no saved conversation; {_LISTED}") from exc
    if header.session_version > SESSION_VERSION:
        raise SessionError(f"{path} was saved by a newer rag_qa; install the version that wrote it")
    return header


def _read_records(lines: Sequence[bytes]) -> tuple[list[Record], int]:
    """Return the records up to the first that cannot be read, and the number of that one, 0 where there is none."""
    records: list[Record] = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(Record.model_validate_json(line))
        except ValidationError:
            return records, number
    return records, 0


def _replayed(header: Header, records: Sequence[Record], *, damaged: bool, size: int) -> SavedSession:
    turns: list[Answer] = []
    filter, literal = EVERY_PAPER, False
    for record in records:
        turns = turns[:-1] if record.undone else turns
        turns += [record.answer] if record.answer else []
        filter = record.filter or filter
        literal = literal if record.literal is None else record.literal
    return SavedSession(
        header=header, turns=tuple(turns), filter=filter, literal=literal, damaged=damaged, size=size
    )


def find_session(name: str, index: Path, folder: Path | None) -> SavedSession:
    """Return the session of a name, of the beginning of one, or the `last` of this index, ready to go on.

    A damaged last line is taken out of its file. Raises SessionError where there is none, or it asks another index.
    """
    names = saved_sessions(folder)
    path = (
        folder or Path()
    ) / f"{_last_of(names, index, folder) if name == LAST else _named(name, names)}{SUFFIX}"
    saved = read_session(path)
    if saved.header.index != index_path(index):
        raise SessionError(
            f"session {saved.header.id} asks the index {saved.header.index}; resume it with --index "
            f"{saved.header.index}, or begin anew without --resume"
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
            f"{path} ends in a damaged line that cannot be removed ({exc}); let it be written, or begin anew"
        ) from exc
