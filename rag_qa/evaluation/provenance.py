"""Describe how a report was measured: code, machine, date, and the provenance of the answers."""

import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag_qa.backends.processor import cpu_name, physical_cores
from rag_qa.version import __version__

CODE = ("rag_qa", "prompts")


def describe_run() -> dict[str, Any]:
    """Return version, commit (None outside a clone), date in UTC, platform, processor and usable cores."""
    return {
        "rag_qa": __version__,
        "commit": commit(Path(__file__).parents[2]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": cpu_name(),
        "cores": physical_cores(),
    }


def commit(root: Path) -> str | None:
    """Return the clone's commit, with `-dirty` if the code differs from it, or None if this is no clone."""
    if not (root / ".git").exists():
        return None
    head = _output("git", "-C", str(root), "rev-parse", "HEAD")
    if not head:
        return None
    changed = _output("git", "-C", str(root), "status", "--porcelain", "--", *CODE)
    return head if changed == "" else f"{head}-dirty"


def _output(*command: str) -> str | None:
    """The command's standard output, or None if the command is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def merge(provenances: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values that all answers' provenances share, and under "varying" the names of the others.

    Nested mappings are merged key by key and named with dots. A key that only some answers have is shared if these
    agree.
    """
    agreed: dict[str, Any] = {}
    varying: set[str] = set()
    for provenance in provenances:
        for name, value in _flat(provenance):
            if agreed.setdefault(name, value) != value:
                varying.add(name)
    merged: dict[str, Any] = {name: value for name, value in agreed.items() if name not in varying}
    return merged | ({"varying": sorted(varying)} if varying else {})


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
