"""The configuration files of a model folder."""

import json
from pathlib import Path
from typing import Any


def read_config(path: Path) -> Any:
    """Return the contents of a JSON file, or {} if it is missing. Raises ValueError for invalid JSON."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
