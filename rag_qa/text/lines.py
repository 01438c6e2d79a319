"""Lines of text files and JSON Lines, plain or gzipped: the one reader of the package for data in lines.

Sources of papers are read by corpus/reading.py instead, which guesses encodings and skips what is broken.
"""

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag_qa.errors import RagQAError

GZIP_MAGIC = b"\x1f\x8b"
# Bytes read or unpacked at a time.
PIECE = 2**24


class UnpacksTooLarge(ValueError):
    """A packed file holds more than it may."""


def unzip(raw: bytes, most: int = sys.maxsize) -> bytes:
    """Return the content of a gzip file, recognised by its first two bytes; other bytes as they are.

    Raises ValueError if the gzip stream is damaged, and UnpacksTooLarge, without reading on, if the content has more
    than `most` bytes.
    """
    if not raw.startswith(GZIP_MAGIC):
        return raw
    pieces: list[bytes] = []
    room = most
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            while piece := stream.read(min(PIECE, room + 1)):
                room -= len(piece)
                if room < 0:
                    raise UnpacksTooLarge(f"a gzip file that unpacks to more than {most:,} bytes")
                pieces.append(piece)
    except (OSError, EOFError, zlib.error) as exc:
        raise ValueError(f"damaged gzip file ({exc})") from exc
    return b"".join(pieces)


def read_lines(path: Path, error: type[RagQAError]) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, text without its line end) of each non-blank line of a UTF-8 file.

    The file may be gzipped, whatever its name. Raises `error` if it cannot be opened, unpacked or decoded.
    """
    try:
        with path.open("rb") as plain:
            zipped = plain.peek(2).startswith(GZIP_MAGIC)
            for number, raw in enumerate(gzip.GzipFile(fileobj=plain) if zipped else plain, 1):
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if text.strip():
                    yield number, text
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as exc:
        raise error(f"{path} cannot be read ({exc}); give a UTF-8 text file, plain or .gz") from exc


def read_json_lines(path: Path, error: type[RagQAError]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object) of each non-blank line of a JSON Lines file.

    Raises `error` if the file cannot be read, or if a line is not a JSON object.
    """
    for number, text in read_lines(path, error):
        try:
            record = json.loads(text)
        except ValueError as exc:
            raise error(f"{path}, line {number}: not JSON ({exc}); write one JSON object a line") from exc
        if not isinstance(record, dict):
            raise error(
                f"{path}, line {number}: not a JSON object; "
                'write one object a line, as in {"_id": "q1", "text": "…"}'
            )
        yield number, record
