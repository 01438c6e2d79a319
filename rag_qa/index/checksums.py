"""Checksums of derived files, by blocks: a search notices damage in what it reads, and reads nothing else for it.

When a part of a generation is complete, `seal` writes the CRC-32 of each block of each of its files beside them. Each
block is compared when it is first read, also if size and time of the file are unchanged. A part that was never sealed
is read unchecked. A file that is truncated while it is open ends the process, as with every memory map.
"""

import json
import math
import zlib
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, SupportsIndex, cast

import numpy as np
from numpy.typing import NDArray

from rag_qa.errors import IndexDamagedError, PaperIndexError

CHECKSUMS = "checksums.json"
# A query reads a few short columns of large files; 64 KiB take 18 µs to check.
BLOCK = 1 << 16
Rows = SupportsIndex | slice | Sequence[int] | NDArray[np.integer[Any]]
# The header of a .npy file is shorter.
HEADER = 1 << 12


def seal(folder: Path) -> None:
    """Write the checksums of all files below a folder, whose names stay. Files that Chroma changes are left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and _is_constant(path))
    sums = {path.relative_to(folder).as_posix(): _file_checksums(path) for path in files}
    (folder / CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")


def check_folder(folder: Path) -> None:
    """Compare every block of every file of a part. Raises IndexDamagedError that names the file."""
    for name, sums in (_known(folder) or {}).items():
        if not (folder / name).is_file() or _file_checksums(folder / name) != sums:
            raise _damaged(folder / name)


def read_checked(folder: Path, name: str) -> bytes:
    """Return the contents of a file of a part. Raises IndexDamagedError if they are not as they were sealed."""
    try:
        content = (folder / name).read_bytes()
    except OSError as exc:
        raise _unreadable(folder / name, exc) from exc
    known = _known(folder)
    if known is not None and known.get(name) != _checksums(content):
        raise _damaged(folder / name)
    return content


def read_json(folder: Path, name: str) -> Any:
    """Return the value in a JSON file of a part. Raises IndexDamagedError if it is not as it was sealed."""
    try:
        return json.loads(read_checked(folder, name))
    except (ValueError, RecursionError) as exc:  # a part that was never sealed
        raise _damaged(folder / name) from exc


def read_array(folder: Path, name: str) -> NDArray[Any]:
    """Return the array in a .npy file of a part. Raises IndexDamagedError if it is not as it was sealed."""
    try:
        array: NDArray[Any] = np.load(BytesIO(read_checked(folder, name)))
    except (ValueError, EOFError, SyntaxError) as exc:
        raise _damaged(folder / name) from exc
    return array


def open_array(folder: Path, name: str) -> "CheckedArray":
    """Open a .npy file of a part as a memory map. Raises IndexDamagedError if what is read is damaged."""
    return CheckedArray(folder / name, _known(folder))


class CheckedArray:
    """A memory-mapped array. An index along the first axis checks the blocks that it touches, then reads them."""

    def __init__(self, path: Path, known: dict[str, list[int]] | None) -> None:
        self._path = path
        try:
            self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
            self._sums = [] if known is None else known[path.name]
            self._unread = np.ones(len(self._sums), dtype=np.bool_)
            self._check(np.arange(min(1, len(self._sums))))  # the header
            self._array = _array_in(self._bytes)
        except OSError as exc:
            raise _unreadable(path, exc) from exc
        except (ValueError, KeyError, EOFError, SyntaxError) as exc:
            raise _damaged(path) from exc
        self._start = len(self._bytes) - self._array.nbytes
        self._row_size = self._array.nbytes // max(1, len(self._array))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self._array.shape

    def __len__(self) -> int:
        return len(self._array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the whole array."""
        return np.asarray(self[:], dtype=dtype)

    def __getitem__(self, rows: Rows) -> Any:
        """Return rows, as the array itself would. Raises IndexDamagedError."""
        if self._unread.any():
            self._check(self._blocks(rows))
        return self._array[rows]

    def search(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return where each value would be inserted into the sorted array, like `np.searchsorted`: by bisection."""
        low = np.zeros(len(values), dtype=np.int64)
        high = np.full(len(values), len(self), dtype=np.int64)
        while (searching := low < high).any():
            middle = np.where(searching, (low + high) // 2, 0)
            less = searching & (self[middle] < values)
            low, high = np.where(less, middle + 1, low), np.where(searching & ~less, middle, high)
        return low

    def _blocks(self, rows: Rows) -> NDArray[np.int64]:
        """Return the numbers of the blocks that hold rows."""
        if isinstance(rows, slice):
            first, stop, step = rows.indices(len(self))
            if step != 1:
                raise ValueError("only whole ranges of rows can be checked")
            end = self._start + max(first, stop) * self._row_size
            return np.arange((self._start + first * self._row_size) // BLOCK, -(-end // BLOCK))
        numbers = np.atleast_1d(np.asarray(rows, dtype=np.int64))
        starts = self._start + np.where(numbers < 0, numbers + len(self), numbers) * self._row_size
        touched = [(starts + offset) // BLOCK for offset in range(0, self._row_size, BLOCK)]
        return np.unique(np.concatenate([*touched, (starts + self._row_size - 1) // BLOCK]))

    def _check(self, blocks: NDArray[np.int64]) -> None:
        blocks = blocks[blocks < len(self._sums)]
        content = self._bytes.data
        for block in blocks[self._unread[blocks]].tolist():
            if zlib.crc32(content[block * BLOCK : (block + 1) * BLOCK]) != self._sums[block]:
                raise _damaged(self._path)
            self._unread[block] = False


def _array_in(content: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the array in the bytes of a .npy file: with `np.load`, each page would be mapped a second time."""
    header = BytesIO(content[:HEADER].tobytes())
    version = np.lib.format.read_magic(header)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(header)
    order: Literal["F", "C"] = "F" if fortran else "C"
    return np.frombuffer(content, dtype, math.prod(shape), header.tell()).reshape(shape, order=order)


def _file_checksums(path: Path) -> list[int]:
    with path.open("rb") as file:
        return [zlib.crc32(block) for block in iter(lambda: file.read(BLOCK), b"")]


def _checksums(content: bytes) -> list[int]:
    view = memoryview(content)
    return [zlib.crc32(view[start : start + BLOCK]) for start in range(0, len(content), BLOCK)]


def _known(folder: Path) -> dict[str, list[int]] | None:
    """Return the checksums of a part; None if it was never sealed."""
    path = folder / CHECKSUMS
    try:
        return _read_known(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    except (ValueError, RecursionError) as exc:
        raise _damaged(path) from exc


@lru_cache(maxsize=64)
def _read_known(path: Path, mtime_ns: int) -> dict[str, list[int]]:
    known = json.loads(path.read_bytes())
    if not isinstance(known, dict) or not all(isinstance(sums, list) for sums in known.values()):
        raise ValueError(f"{path} does not hold checksums")
    return cast(dict[str, list[int]], known)


def _is_constant(path: Path) -> bool:
    return path.name != CHECKSUMS and not path.name.startswith("chroma.sqlite3")


def _unreadable(path: Path, exc: OSError) -> PaperIndexError:
    if isinstance(exc, FileNotFoundError) and path.parent.is_dir():
        return _damaged(path)
    if isinstance(exc, FileNotFoundError):
        return PaperIndexError(
            f"{path} is gone: the index was closed, or was moved or removed while it was open; open it again"
        )
    return PaperIndexError(f"{path} cannot be read ({exc.strerror}); make it readable to you")


def _damaged(path: Path) -> IndexDamagedError:
    index = path.absolute().parents[3]
    return IndexDamagedError(
        f"{path} is not as it was built; run `rag-qa doctor --repair --index {index}`, which builds it again"
    )
