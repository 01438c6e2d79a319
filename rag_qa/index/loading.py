"""Derived files → arrays and JSON. What is damaged, or gone while the index is open, is an error of ours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rag_qa.errors import IndexDamagedError, PaperIndexError


def load_array(path: Path, *, mapped: bool = True) -> np.ndarray:
    """Return the array of a .npy file, memory-mapped or read. Raises IndexDamagedError, PaperIndexError."""
    with _translated_errors(path):
        loaded: np.ndarray = np.load(path, mmap_mode="r" if mapped else None)
    return loaded


def load_json(path: Path) -> Any:
    """Return the contents of a JSON file. Raises IndexDamagedError, PaperIndexError."""
    with _translated_errors(path):
        return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    generation = path.parents[1]
    try:
        yield
    except FileNotFoundError as exc:
        raise PaperIndexError(
            f"{path} is gone: the index was closed, or was moved or removed while it was open; open it again"
        ) from exc
    except OSError as exc:
        raise PaperIndexError(f"{path} cannot be read ({exc.strerror}); make it readable to you") from exc
    except (ValueError, EOFError, SyntaxError, RecursionError) as exc:
        raise IndexDamagedError(
            f"{path} is damaged ({exc}); delete {generation}: it is built again, without embedding, when the index "
            "is next opened"
        ) from exc
