"""`rag-qa doctor`: what works on this machine, what does not, and what to do about it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from rag_qa.app.checks import Check, repair_checks, run_checks
from rag_qa.app.options import JsonOption, examples
from rag_qa.errors import SettingsError

EXAMPLES = examples(
    "rag-qa doctor", "rag-qa doctor --index rag-qa-index", "rag-qa doctor --repair --index rag-qa-index"
)
MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def doctor(
    index: Annotated[Path | None, typer.Option(help="Also check this index.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend this index; check nothing else.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check what works on this machine, and what does not.

    Python, libraries, models, llama.cpp and an index are checked; the exit status is 1 if something does not work. In
    an index every paper, passage, vector and file is compared with its hash.

    With --repair, what is damaged in the index is made again from what is sound. A paper that is lost is named with the
    file that brings it back; the exit status is then 1.
    """
    if repair and index is None:
        raise SettingsError("--repair mends an index; name its folder with --index FOLDER")
    findings: list[Check] = []
    for check in repair_checks(index) if repair and index else run_checks(index):
        findings.append(check)
        if not as_json:
            print(f"{MARKS[check.status]}  {check.name}: {check.detail}", flush=True)
            if check.cure:
                print(f"      → {check.cure}", flush=True)
    if as_json:
        typer.echo(json.dumps([check.model_dump() for check in findings], indent=2))
    if any(check.status == "fail" for check in findings):
        raise typer.Exit(1)
