"""`rag-qa verify`: check a saved answer and print what was found."""

import json
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.answering.receipts.verify import recheck
from rag_qa.answering.receipts.write import read_receipt
from rag_qa.app.options import JsonOption, ReceiptArgument, examples
from rag_qa.app.printing import say_line
from rag_qa.index.reader import Index

EXAMPLES = examples("rag-qa verify answer.json", "rag-qa verify answer.json --index rag-qa-index")
MARKS = {"ok": "ok  ", "note": "note", "fail": "FAIL"}


def verify(
    file: ReceiptArgument,
    index: Annotated[
        Path | None, typer.Option("--index", help="Also check the papers against this index.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a saved answer without a language model.

    Its bytes, texts, quotes and verdicts are checked; the exit status is 1 if one check fails.
    """
    saved = read_receipt(file)
    with ExitStack() as opened:
        found = list(recheck(saved, opened.enter_context(closing(Index.open(index))) if index else None))
    if as_json:
        typer.echo(json.dumps([check.model_dump() for check in found], indent=2))
    else:
        for check in found:
            say_line(Console(), f"{check.name}: {check.detail}", mark=f"{MARKS[check.status]}  ")
    if any(check.status == "fail" for check in found):
        raise typer.Exit(1)
