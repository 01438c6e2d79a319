"""/save and /copy: the last answer as a file or on the clipboard, in any export format."""

import os
from pathlib import Path

from rag_qa.answering.receipts.write import check_free, write_receipt
from rag_qa.app.chat.state import ChatState
from rag_qa.app.clipboard import copy_text
from rag_qa.app.exporting import COPIED_AS, write_new
from rag_qa.app.printing import say
from rag_qa.errors import CommandError, ExportError
from rag_qa.exports import export_answer, format_of_file

# A JSON file is a receipt: the answer, and all that checking and repeating it needs.
RECEIPT = "json"


def save(chat: ChatState, argument: str) -> None:
    """Save the last answer in the format that the file's ending names; without an ending, as a receipt."""
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
        write_new(path, export_answer(chat.last, format))
    say(chat.console, f"Saved: {argument}")


def copy_answer(chat: ChatState, argument: str) -> None:
    """Copy the last answer to the clipboard, as Markdown or in another format."""
    format = argument or COPIED_AS
    text = export_answer(chat.last, format)
    try:
        by = copy_text(text)
    except ExportError as exc:
        raise CommandError(
            "There is no clipboard here; /save FILE.md writes the answer into a file."
        ) from exc
    say(chat.console, f"Copied as {format} by {by}.")
