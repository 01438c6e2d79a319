"""`rag-qa replay`: give a saved answer again under its own settings, and print what differs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.answering.receipts.replay import Replay, compare
from rag_qa.answering.receipts.write import read_receipt
from rag_qa.app.options import (
    DEFAULT_INDEX,
    IndexOption,
    JsonOption,
    ReceiptArgument,
    exact_settings,
    examples,
)
from rag_qa.app.printing import say_line
from rag_qa.errors import ReceiptError
from rag_qa.settings import Settings
from rag_qa.types import Answer

EXAMPLES = examples("rag-qa replay answer.json")
# Characters of a difference that are shown; a longer one is named only.
SHOWN = 200


def replay(file: ReceiptArgument, index: IndexOption = DEFAULT_INDEX, as_json: JsonOption = False) -> None:
    """Give a saved answer again, under its own settings.

    The exit status is 1 if the answer differs.
    """
    saved = read_receipt(file)
    if not saved.intact:
        raise ReceiptError(f"{file} was changed after it was saved; see what with `rag-qa verify {file}`")
    with Assistant.open(index, settings=saved_settings(saved.answer, file)) as assistant:
        found = compare(saved.answer, assistant.again(saved.answer))
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=2))
    else:
        show_replay(Console(), found)
    if not found.identical:
        raise typer.Exit(1)


def show_replay(console: Console, found: Replay) -> None:
    """Print whether the answer is the same, the first difference, and what has changed of what made it."""
    say_line(console, f"Differs: {found.difference}." if found.difference else "Identical.")
    for change in found.changes:
        short = len(change.saved) + len(change.now) <= SHOWN
        both = f"was {change.saved}, and is now {change.now}." if short else "differs; --json shows how."
        say_line(console, f"{change.name} {both}")
    if found.difference and not found.changes:
        random = found.answer.provenance["settings"]["temperature"] > 0
        why = "; above temperature 0, words are drawn at random." if random else "."
        say_line(console, f"Nothing else differs{why}")


def saved_settings(answer: Answer, file: Path) -> Settings:
    """Return the settings that an answer was given under. Raises ReceiptError if this version has others."""
    saved = answer.provenance.get("settings")
    if not isinstance(saved, Mapping):
        raise ReceiptError(f"{file} names no settings; save an answer with `rag-qa ask --save FILE`")
    if unknown := saved.keys() - Settings.model_fields.keys():
        raise ReceiptError(
            f"{file} has settings that this rag_qa does not have ({', '.join(sorted(unknown))}); replay it with "
            f"rag_qa {answer.provenance.get('rag_qa')}, which wrote it"
        )
    return exact_settings(saved)


def _as_json(found: Replay) -> dict[str, Any]:
    return {"identical": found.identical} | found.model_dump(mode="json")
