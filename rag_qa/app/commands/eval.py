"""`rag-qa eval`: evaluate a question set, print and keep the report; or check that no score has become worse."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from platformdirs import user_cache_path
from rich.console import Console

from rag_qa.app.options import (
    Flags,
    JsonOption,
    ModelOption,
    StyleOption,
    examples,
    load_settings,
    with_group,
)
from rag_qa.app.progress import progress_bar
from rag_qa.backends.hashing import memory_file
from rag_qa.errors import EvaluationError
from rag_qa.settings import Settings
from rag_qa.types import EvalReport

# Evaluation is imported where it is run: a search does not need it.
if TYPE_CHECKING:
    from rag_qa.evaluation.conditions import Condition, Finding

EXAMPLES = examples(
    "rag-qa eval eval/sets/sample --style quote",
    "rag-qa eval eval/sets/sample --html report.html",
    "rag-qa eval --check sample",
)
CONDITIONS = Path("eval/conditions.toml")
# What is run, and what is written of it; with --check a condition decides all of these.
RUN_OPTIONS: dict[str, Any] = {
    "corpus": Annotated[
        list[Path] | None, typer.Option("--corpus", help="Papers to index instead of the set's own.")
    ],
    "ids": Annotated[
        Path | None,
        typer.Option("--ids", help="File of paper ids, one a line: index only these papers of the corpus."),
    ],
    "split": Annotated[
        str | None, typer.Option("--split", help="Split of a BEIR folder; default: no split, test or dev.")
    ],
    "style": StyleOption,
    "model": ModelOption,
    "results": Annotated[
        Path | None,
        typer.Option(
            "--results", help="Folder to write the report to; default: results/ beside a question set."
        ),
    ],
    "run": Annotated[
        Path | None,
        typer.Option("--run", help="Write the ranking as a TREC run, gzipped if the name ends in .gz."),
    ],
    "baseline": Annotated[
        Path | None,
        typer.Option(
            "--baseline", help="A TREC run (.gz too) or a report (.json): show the differences to it."
        ),
    ],
    "html": Annotated[
        Path | None,
        typer.Option("--html", help="Write the report as an HTML page that begins with the failures."),
    ],
}


@with_group("given", RUN_OPTIONS)
def evaluate_set(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDER",
            help="A question set or BEIR folder, or a name in eval/sets; with --check: names of conditions.",
        ),
    ] = None,
    index: Annotated[Path | None, typer.Option("--index", help="Index of the set's papers.")] = None,
    *,
    given: Flags,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache", help="Folder that keeps what the language model wrote; default: in the user's cache."
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Generate every answer anew, to measure speed.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Run conditions; fail if a score is worse than expected.")
    ] = False,
    record: Annotated[
        bool,
        typer.Option("--record", help="With --check: print the scores as TOML for the file of conditions."),
    ] = False,
    conditions: Annotated[
        Path, typer.Option("--conditions", help="File with the conditions for --check.")
    ] = CONDITIONS,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval, grounding and abstention on a set.

    No judge model is needed.
    """
    if cache is not None and no_cache:
        raise typer.BadParameter("--cache and --no-cache exclude each other; give one")
    kept = None if no_cache else cache or memory_file(user_cache_path, "generations")
    if record and not check:
        raise typer.BadParameter("--record goes with --check")
    if check:
        if names := [name for name, value in given.items() if value]:
            raise typer.BadParameter(f"--{names[0]} does not go with --check: a condition says what is run")
        _run_conditions(targets or [], conditions, index, kept, record=record, as_json=as_json)
        return
    if not targets or len(targets) > 1:
        raise typer.BadParameter("name one FOLDER, or use --check")
    _run_set(targets[0], index, kept, given, as_json=as_json)


def _run_set(name: str, index: Path | None, cache: Path | None, given: Flags, *, as_json: bool) -> None:
    """Evaluate a set, and print and write the report."""
    from rag_qa.evaluation.evaluating import find_set
    from rag_qa.evaluation.html_report import write_html
    from rag_qa.evaluation.reports import render, to_json

    folder, results = find_set(name), given["results"]
    if results is None and (folder / "set.toml").is_file():
        results = _results_beside(folder.resolve())
    report = _measure(
        folder,
        load_settings(style=given["style"], model=given["model"]),
        index=index,
        corpus=given["corpus"] or (),
        ids=given["ids"],
        split=given["split"],
        cache=cache,
        results=results,
        run_file=given["run"],
        baseline=given["baseline"],
    )
    if given["html"] is not None:
        write_html(report, given["html"])
    typer.echo(to_json(report) if as_json else render(report), nl=False)


def _results_beside(folder: Path) -> Path:
    """Return the nearest folder `results` above a set, such as eval/results; else the one beside the set."""
    above = (parent / "results" for parent in folder.parents)
    return next((path for path in above if path.is_dir()), folder.parent / "results")


def _run_conditions(
    names: Sequence[str], file: Path, index: Path | None, cache: Path | None, *, record: bool, as_json: bool
) -> None:
    from rag_qa.evaluation.conditions import choose, load_conditions

    chosen = choose(load_conditions(file), list(names))
    if record:
        _record(chosen, index, cache)
    else:
        _check(chosen, index, as_json, cache)


def _record(conditions: Sequence["Condition"], index: Path | None, cache: Path | None) -> None:
    """Run the conditions and print the scores found, as blocks of the file of conditions."""
    from rag_qa.evaluation.conditions import record

    for condition in conditions:
        if reason := condition.skipped:
            typer.echo(f"# {condition.name} skipped: {reason}")
        else:
            typer.echo(record(condition, _measure_condition(condition, index, cache)) + "\n")


def _check(conditions: Sequence["Condition"], index: Path | None, as_json: bool, cache: Path | None) -> None:
    """Run the conditions and print each score found; exit with status 1 if one is worse than expected.

    A condition whose data is absent is skipped. Raises EvaluationError if nothing is left to check.
    """
    from rag_qa.evaluation.conditions import judge

    findings: list[Finding] = []
    skipped: dict[str, str] = {}
    for condition in conditions:
        if reason := condition.skipped:
            skipped[condition.name] = reason
            lines = [f"{condition.name:<16} skipped: {reason}"]
        else:
            found = judge(condition, _measure_condition(condition, index, cache))
            findings += found
            lines = [str(finding) for finding in found]
        if not as_json:
            typer.echo("\n".join(lines))
    if as_json:
        typer.echo(_findings_json(findings, skipped))
    if not findings:
        raise EvaluationError(
            f"nothing was checked: {', '.join(skipped)} skipped; set RAG_QA_SHARED, or name a condition that needs "
            "no shared data, such as sample"
        )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _measure_condition(condition: "Condition", index: Path | None, cache: Path | None) -> EvalReport:
    return _measure(
        condition.folder,
        load_settings(style=condition.style, model=condition.model),
        index=index,
        corpus=condition.corpus,
        ids=condition.ids,
        split=condition.split,
        cache=cache,
    )


def _measure(folder: Path, settings: Settings, **options: Any) -> EvalReport:
    from rag_qa.evaluation.measuring import measure

    with progress_bar(Console(stderr=True)) as progress:
        return measure(folder, settings, progress=progress, **options)


def _findings_json(findings: Sequence["Finding"], skipped: dict[str, str]) -> str:
    rows = [finding.model_dump(exclude_none=True) | {"ok": finding.ok} for finding in findings]
    return json.dumps({"findings": rows, "skipped": skipped}, ensure_ascii=False, indent=1)
