"""Announces a running service to the command line: a small file that only its user can read."""

import platform
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import ValidationError

from rag_qa.backends.home import home_folder
from rag_qa.backends.locating import ModelChoice
from rag_qa.files import make_private_folder, owner_only
from rag_qa.types import Value


class Announcement(Value):
    """A running service: where it listens, its indexes, its settings, and the secret that admits its own user.

    `indexes` are names of indexes by folder. `search` is the fingerprint of the settings of search. `answers` are
    fingerprints of the settings of answers, by the style to ask for; "" if none has to be named.
    """

    machine: str
    version: str
    host: str
    port: int
    secret: str
    indexes: Mapping[str, str]
    search: str
    answers: Mapping[str, str]
    choice: ModelChoice


@contextmanager
def announced(announcement: Announcement) -> Iterator[None]:
    """Announce a service while it runs; without a folder to write to, nothing is announced."""
    path = None
    with suppress(OSError):
        path = _write(announcement)
    try:
        yield
    finally:
        if path:
            path.unlink(missing_ok=True)


def announcements() -> Iterator[tuple[Path, Announcement]]:
    """Yield the services announced on this machine, with their files; unreadable files are skipped."""
    folder = _folder()
    for path in sorted(folder.glob("*.json")) if folder else ():
        with suppress(OSError, ValidationError):
            found = Announcement.model_validate_json(path.read_bytes())
            if found.machine == platform.node():
                yield path, found


def _write(announcement: Announcement) -> Path | None:
    folder = _folder()
    if folder is None:
        return None
    make_private_folder(folder)
    path = folder / f"{secrets.token_hex(8)}.json"
    with open(path, "xb", opener=owner_only) as file:
        file.write(announcement.model_dump_json().encode("utf-8"))
    return path


def _folder() -> Path | None:
    """Return the folder of the files. Several machines may share a home, so each file names its machine."""
    cache = home_folder(user_cache_path)
    return cache / "services" if cache else None
