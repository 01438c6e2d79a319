"""Lines of a text file, plain or gzipped, with what is wrong told by file and line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from rag_qa.errors import EvaluationError

UNREADABLE = (OSError, EOFError, UnicodeDecodeError, zlib.error)


def fail(path: Path, line: int, problem: str, cure: str) -> NoReturn:
    """Raise EvaluationError with the place, the problem and its cure."""
    raise EvaluationError(f"{path}, line {line}: {problem}; {cure}")


def first_complaint(exc: ValidationError) -> str:
    """Return the first thing that is wrong with a value, on one line, as `field: message`."""
    error = exc.errors()[0]
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}" if where else error["msg"].removeprefix("Value error, ")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, text without its line end) of each non-blank line of a UTF-8 file.

    Raises EvaluationError when the file cannot be opened, unpacked or decoded.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if text.strip():
                    yield number, text
    except UNREADABLE as exc:
        raise EvaluationError(f"{path} cannot be read ({exc}); give a UTF-8 text file, plain or .gz") from exc


def read_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of each line of a JSON Lines file.

    Raises EvaluationError on a line that is not a JSON object.
    """
    for number, text in read_lines(path):
        try:
            record = json.loads(text)
        except ValueError as exc:
            fail(path, number, f"not JSON ({exc})", "write one JSON object a line")
        if not isinstance(record, dict):
            fail(
                path, number, "not a JSON object", 'write one object a line, as in {"_id": "q1", "text": "…"}'
            )
        yield number, record
