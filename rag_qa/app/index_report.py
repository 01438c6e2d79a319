"""What an indexing run did, on the screen and as a file: counts, skipped records, the fate of each record."""

import os
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from rag_qa.app.printing import print_text, safe_json, say
from rag_qa.errors import SettingsError
from rag_qa.files import owner_only
from rag_qa.types import IndexReport, Skipped

SHOWN_SKIPS = 10
SHOWN_REASONS = 3


def show_report(console: Console, report: IndexReport, *, dry_run: bool = False) -> None:
    """Print what indexing did, or would do: the counts add up to the records found."""
    parts = [f"{report.added} added", *([f"{report.changed} changed"] if report.changed else [])]
    parts += [f"{report.merged} merged", f"{report.unchanged} unchanged", f"{report.skipped} skipped"]
    beside = [f"{report.removed} removed from the index"] if report.removed else []
    counts = "; ".join([", ".join(parts), *beside, f"{report.embedded} passages embedded"])
    records = "record" if report.found == 1 else "records"
    print_text(console, Text(f"{report.found} {records} found: {counts}."))
    if dry_run:
        line = f"Dry run: nothing was written; the index would hold {report.papers} papers."
    else:
        line = f"{report.papers} papers in the index ({report.seconds:.1f} s)."
    print_text(console, Text(line))


def show_skips(console: Console, report: IndexReport) -> None:
    """Print which records were skipped and why: one line for a file without any paper, and the first of the others.

    Before them, which files were read in another encoding than UTF-8.
    """
    encodings = [f"read as {name}, not UTF-8: {path}" for path, name in report.encodings.items()]
    _say_first(console, encodings, "more")
    taken = {fate.path for fate in report.fates if fate.fate != "skipped"}
    whole = groupby((skip for skip in report.skips if skip.path not in taken), key=lambda skip: skip.path)
    lines = [f"nothing taken from {path}: {why_skipped(list(skips))}" for path, skips in whole]
    _say_first(console, lines, "more files")
    others = [skip for skip in report.skips if skip.path in taken]
    lines = [f"skipped: {skip.path}, record {skip.record}: {skip.reason}" for skip in others]
    _say_first(console, lines, "more")


def _say_first(console: Console, lines: Sequence[str], what: str) -> None:
    for line in lines[:SHOWN_SKIPS]:
        say(console, line)
    if (more := len(lines) - SHOWN_SKIPS) > 0:
        say(console, f"… and {more} {what} (--report FILE lists them all)")


def why_skipped(skips: Sequence[Skipped]) -> str:
    """Return the reasons in words, the most frequent first, each with its number of records."""
    if len(skips) == 1:
        return skips[0].reason
    counts = Counter(skip.reason for skip in skips)
    reasons = "; ".join(f"{n} × {reason}" for reason, n in counts.most_common(SHOWN_REASONS))
    return f"{len(skips)} records: {reasons}" + ("; …" if len(counts) > SHOWN_REASONS else "")


def check_writable(path: Path) -> None:
    """Raise SettingsError if `--report` cannot be written there: before a long run instead of after it."""
    target = path if path.exists() else path.parent
    if path.is_dir() or not target.exists() or not os.access(target, os.W_OK):
        raise SettingsError(f"--report cannot write {path}; name a file in a folder that you may write to")


def write_fates(report: IndexReport, path: Path) -> None:
    """Write path, record, fate, paper_id and reason of every record as JSON Lines. Raises SettingsError."""
    try:
        with open(path, "w", encoding="utf-8", opener=owner_only) as file:
            file.writelines(f"{safe_json(fate.model_dump_json())}\n" for fate in report.fates)
    except OSError as exc:
        raise SettingsError(
            f"--report cannot write {path} ({exc.strerror}); name another file and run it again"
        ) from exc
