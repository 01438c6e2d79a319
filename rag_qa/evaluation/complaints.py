"""Say what is wrong with a file of a set: the file, the line, the problem and its cure."""

from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from rag_qa.errors import EvaluationError


def fail(path: Path, line: int, problem: str, cure: str) -> NoReturn:
    """Raise EvaluationError with file, line, problem and cure."""
    raise EvaluationError(f"{path}, line {line}: {problem}; {cure}")


def first_complaint(exc: ValidationError) -> str:
    """Return the first thing that is wrong with a value, on one line, as `field: message`."""
    error = exc.errors()[0]
    field = ".".join(str(part) for part in error["loc"])
    return f"{field}: {error['msg']}" if field else error["msg"].removeprefix("Value error, ")
