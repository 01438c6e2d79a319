"""An answer or references → a new file, or the clipboard."""

from pathlib import Path

from rich.console import Console

from rag_qa.app.clipboard import copy_text
from rag_qa.app.printing import say
from rag_qa.errors import ExportError
from rag_qa.exports import export_answer, format_of_file
from rag_qa.files import is_plain_name, owner_only
from rag_qa.types import Answer

COPIED_AS = "md"


def check_target(path: Path) -> str:
    """Return the format of a new file by its name. Raises ExportError if it cannot be written or has no format."""
    format = format_of_file(path)
    if not is_plain_name(path):
        raise ExportError(f"the name {str(path)!r} holds control characters; name another file")
    if path.exists():
        raise ExportError(f"{path} exists already; name another file, or remove it")
    if not path.parent.is_dir():
        raise ExportError(f"there is no folder {path.parent}; make it first, or name another file")
    return format


def write_new(path: Path, text: str) -> None:
    """Write a text into a new file, for its user alone. Raises ExportError if it exists or cannot be written."""
    try:
        content = text.encode("utf-8")
        with open(path, "xb", opener=owner_only) as file:
            file.write(content)
    except OSError as exc:
        raise ExportError(f"{path} cannot be written ({exc.strerror}); name another file") from exc


def hand_out(answer: Answer, errors: Console, *, export: Path | None, copy: bool) -> None:
    """Write an answer into a file and copy it, as asked, and print that on `errors`."""
    if export:
        write_new(export, export_answer(answer, format_of_file(export)))
        say(errors, f"Exported: {export}")
    if copy:
        say(errors, f"Copied by {copy_text(export_answer(answer, COPIED_AS))}.")
