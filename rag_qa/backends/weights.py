"""The weights of a safetensors file as memory-mapped arrays, which processes share.

The library's own reader copies every weight, which takes a hundred times as long. The format is a length of 8 bytes, a
table in JSON, and the numbers; see https://huggingface.co/docs/safetensors.
"""

import json
import mmap
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rag_qa.protocols import Matrix

LENGTH = 8
FLOAT32 = "F32"


def map_weights(path: Path) -> Mapping[str, Matrix]:
    """Return the float32 weights of a file by name; weights of other types are left out.

    Raises OSError if the file is missing, ValueError if it has another format or is incomplete.
    """
    with path.open("rb") as stream:
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    start = LENGTH + int.from_bytes(mapped[:LENGTH], "little")
    try:
        table = json.loads(mapped[LENGTH:start])
        return {
            name: _weight(mapped, start, entry)
            for name, entry in table.items()
            if entry.get("dtype") == FLOAT32
        }
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError) as exc:
        raise ValueError(f"{path} is not a safetensors file ({exc!r})") from exc


def _weight(mapped: mmap.mmap, start: int, entry: Mapping[str, list[int]]) -> Matrix:
    first, end = entry["data_offsets"]
    flat = np.frombuffer(mapped, np.float32, count=(end - first) // 4, offset=start + first)
    # In old files the numbers may be unaligned, and each product would copy them first.
    return np.require(flat, requirements="A").reshape(entry["shape"])
