"""/save and /copy: the last answer in a file or on the clipboard, in every format that others read."""

import os
from pathlib import Path

from rag_qa.answering.receipts.write import check_free, write_receipt
from rag_qa.app.chat.clipboard import copy
from rag_qa.app.chat.conversation import Conversation
from rag_qa.app.rendering import say
from rag_qa.errors import CommandError
from rag_qa.exports import export_answer, format_of_file

# A JSON file is a receipt: the answer, and what checking and repeating it takes.
RECEIPT = "json"


def save(chat: Conversation, argument: str) -> None:
    """Save the last answer in the format that the end of a file's name says, as a receipt where it has none."""
    if not chat.turns:
        raise CommandError("There is no answer to save yet.")
    if not argument:
        raise CommandError("Name a file: /save FILE")
    path = Path(os.path.expanduser(argument))
    check_free(path)
    format = format_of_file(path) if path.suffix else RECEIPT
    if format == RECEIPT:
        write_receipt(chat.last, path)
    else:
        _write(path, export_answer(chat.last, format))
    say(chat.console, f"Saved: {argument}")


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text if text.endswith("\n") else f"{text}\n")
    except (OSError, ValueError) as exc:
        raise CommandError(f"{path} cannot be written ({exc}); name another file.") from exc


def copy_answer(chat: Conversation, argument: str) -> None:
    """Copy the last answer to the clipboard, as Markdown or in another format."""
    format = argument or "md"
    by = copy(export_answer(chat.last, format), chat.console)
    if not by:
        raise CommandError("There is no clipboard here; /save FILE.md writes the answer into a file.")
    say(chat.console, f"Copied as {format} by {' and '.join(by)}.")
