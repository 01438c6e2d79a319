"""`rag-qa index --report FILE`: what became of each record, one JSON object a line."""

import os
from pathlib import Path

from rag_qa.app.rendering import safe_json
from rag_qa.errors import SettingsError
from rag_qa.types import IndexReport


def check_writable(path: Path) -> None:
    """Raise SettingsError where no report can be written, before a long run instead of after it."""
    target = path if path.exists() else path.parent
    if path.is_dir() or not target.exists() or not os.access(target, os.W_OK):
        raise SettingsError(f"--report cannot write {path}; name a file in a folder that you may write to")


def write_fates(report: IndexReport, path: Path) -> None:
    """Write path, record, fate, paper_id and reason of every record found. Raises SettingsError."""
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{safe_json(fate.model_dump_json())}\n" for fate in report.fates)
    except OSError as exc:
        raise SettingsError(
            f"--report cannot write {path} ({exc.strerror}); name another file and run it again"
        ) from exc
