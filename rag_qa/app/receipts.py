"""`rag-qa verify` and `rag-qa replay`: read a saved answer, check it or give it again, print what was found."""

import json
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.answering.receipts.replay import Replay, compare
from rag_qa.answering.receipts.verify import recheck
from rag_qa.answering.receipts.write import read_receipt
from rag_qa.app.options import DEFAULT_INDEX, IndexOption, JsonOption, exact_settings
from rag_qa.app.rendering import say
from rag_qa.corpus.cleaning import clean_text
from rag_qa.errors import ReceiptError
from rag_qa.index.reader import Index
from rag_qa.settings import Settings
from rag_qa.types import Answer

SHOWN = 200
MARKS = {"ok": "ok  ", "note": "note", "fail": "FAIL"}

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="An answer that --save or /save wrote.")]


def verify(
    file: FileArgument,
    index: Annotated[
        Path | None, typer.Option("--index", help="Also check the papers against this index.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a saved answer, without a language model: bytes, texts, quotes, verdicts; exit with 1 if one fails."""
    saved = read_receipt(file)
    with ExitStack() as opened:
        found = list(recheck(saved, opened.enter_context(closing(Index.open(index))) if index else None))
    if as_json:
        typer.echo(json.dumps([check.model_dump() for check in found], indent=2))
    else:
        for check in found:
            tell(Console(), f"{check.name}: {check.detail}", mark=f"{MARKS[check.status]}  ")
    if any(check.status == "fail" for check in found):
        raise typer.Exit(1)


def replay(file: FileArgument, index: IndexOption = DEFAULT_INDEX, as_json: JsonOption = False) -> None:
    """Give a saved answer again, under its own settings; exit with 1 if it differs."""
    saved = read_receipt(file)
    if not saved.intact:
        raise ReceiptError(f"{file} was changed after it was saved; see what with `rag-qa verify {file}`")
    with Assistant.open(index, settings=saved_settings(saved.answer, file)) as assistant:
        found = compare(saved.answer, assistant.again(saved.answer))
    if as_json:
        typer.echo(json.dumps(_replay_json(found), indent=2))
    else:
        show_replay(Console(), found)
    if not found.identical:
        raise typer.Exit(1)


def show_replay(console: Console, found: Replay) -> None:
    """Print whether the answer is the same, the first difference, and what it was made with that has changed."""
    tell(console, f"Differs: {found.difference}." if found.difference else "Identical.")
    for change in found.changes:
        short = len(change.saved) + len(change.now) <= SHOWN
        both = f"was {change.saved}, and is now {change.now}." if short else "differs; --json shows how."
        tell(console, f"{change.name} {both}")
    if found.difference and not found.changes:
        warm = found.answer.provenance["settings"]["temperature"] > 0
        tell(console, "Nothing else differs" + ("; above temperature 0, words are drawn." if warm else "."))


def tell(console: Console, line: str, *, mark: str = "") -> None:
    """Print a mark and one line, whatever a file that anyone may have written holds."""
    say(console, f"{mark}{clean_text(line)}")


def saved_settings(answer: Answer, file: Path) -> Settings:
    """Return the settings that an answer was given under. Raises ReceiptError where this version has others."""
    saved = answer.provenance.get("settings")
    if not isinstance(saved, Mapping):
        raise ReceiptError(f"{file} names no settings; save an answer with `rag-qa ask --save FILE`")
    if unknown := saved.keys() - Settings.model_fields.keys():
        raise ReceiptError(
            f"{file} has settings that this rag_qa does not have ({', '.join(sorted(unknown))}); replay it with "
            f"rag_qa {answer.provenance.get('rag_qa')}, which wrote it"
        )
    return exact_settings(saved)


def _replay_json(found: Replay) -> dict[str, Any]:
    return {"identical": found.identical} | found.model_dump(mode="json")
