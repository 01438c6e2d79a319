"""What the programs of eval/ share: their help, and how they read data."""

import argparse
from pathlib import Path
from typing import Any

from rag_qa.errors import EvaluationError
from rag_qa.text.lines import read_json_lines


def parser_for(doc: str) -> argparse.ArgumentParser:
    """Return a parser whose help is a program's whole docstring, as it is written."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file, plain or gzipped. Raises EvaluationError if it is none."""
    return [row for _, row in read_json_lines(path, EvaluationError)]
