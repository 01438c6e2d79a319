"""Read the data files of the programs in eval/."""

from pathlib import Path
from typing import Any

from rag_qa.errors import EvaluationError
from rag_qa.text.lines import read_json_lines


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file, plain or gzipped. Raises EvaluationError if it is none."""
    return [row for _, row in read_json_lines(path, EvaluationError)]
