"""Files that rag_qa writes: what they may be called, and who may read them.

Their user alone may, whatever the umask, unless that user has shared an index by `chmod`. The mode of a new file is
given when it is created, so that nobody can open it in the moment before it is changed.
"""

import contextlib
import os
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path

OWNER_FILE = 0o600
OWNER_FOLDER = 0o700
READ = 0o444
READ_AND_WRITE = 0o666
OTHERS = 0o077
# What changes the direction of text, and so what a name seems to be.
DIRECTIONS = {0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def is_plain_name(path: Path) -> bool:
    """Return whether a path has no character that would act on the terminal that lists it, or on the order of text.

    >>> is_plain_name(Path("a.json")), is_plain_name(Path("a\\x1b[31m.json"))
    (True, False)
    """
    return not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") or ord(c) in DIRECTIONS for c in str(path))


def owner_only(path: str, flags: int) -> int:
    """Open a file as the `opener` of `open` that its user alone can read if it is created; else its mode stays."""
    return os.open(path, flags, OWNER_FILE)


def make_private_folder(folder: Path) -> None:
    """Make a folder that its user alone can enter, and each missing folder above it likewise. Raises OSError.

    A folder that exists keeps its mode.
    """
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=OWNER_FOLDER, exist_ok=True)
    folder.mkdir(exist_ok=True)


def mode_of(file: Path) -> int:
    """Return who may read and write a file, as for files beside it: that of its owner if there is no such file."""
    try:
        return OWNER_FILE | stat.S_IMODE(file.stat().st_mode) & READ_AND_WRITE
    except OSError:
        return OWNER_FILE


def is_shared(mode: int) -> bool:
    """Return whether a mode lets others than the owner in."""
    return bool(mode & OTHERS)


def folder_mode(mode: int) -> int:
    """Return the mode of a folder whose files have this mode: whoever may read them may enter it.

    >>> oct(folder_mode(0o640))
    '0o750'
    """
    return mode | (mode & READ) >> 2


def set_modes(paths: Iterable[Path], mode: int) -> None:
    """Give files and folders, with all that the folders hold, the mode of files; folders come last."""
    for path in paths:
        for folder, _, files in os.walk(path, topdown=False):
            for name in files:
                set_mode(Path(folder, name), mode)
            set_mode(Path(folder), mode)
        if not path.is_dir():
            set_mode(path, mode)


def set_mode(path: Path, mode: int) -> None:
    """Give a file the mode, or a folder the one that fits; what is missing, linked or another user's stays as it is."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            # A folder that hands its group down goes on doing so.
            path.chmod(folder_mode(mode) | path.stat().st_mode & stat.S_ISGID)
        elif not path.is_symlink():
            path.chmod(mode)
