"""`rag-qa eval`: index a set's papers where no index is named, run the set, print and keep the report; or check
conditions, and fail where a score has become worse."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from platformdirs import user_cache_path
from rich.console import Console

from rag_qa.answering.assistant import Assistant, style_of
from rag_qa.answering.verdict.model import judge as verdict_on
from rag_qa.app.options import JsonOption, load_settings
from rag_qa.app.progress import progress_bar
from rag_qa.backends.hashing import memory_file
from rag_qa.backends.home import home_folder
from rag_qa.backends.llama import open_generator
from rag_qa.backends.locating import choose_model
from rag_qa.errors import EvaluationError
from rag_qa.settings import Settings
from rag_qa.types import EvalReport

# The whole of evaluation is imported where it is run: a search has no use for it.
if TYPE_CHECKING:
    from rag_qa.evaluation.conditions import Condition, Finding
    from rag_qa.index.changes import Progress

CONDITIONS = Path("eval/conditions.toml")


def evaluate_set(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDER",
            help="A question set: a folder, a BEIR folder, or a name of eval/sets; with --check, names of conditions.",
        ),
    ] = None,
    index: Annotated[Path | None, typer.Option("--index", help="Index of the set's papers.")] = None,
    corpus: Annotated[
        list[Path] | None, typer.Option("--corpus", help="Papers to index instead of the set's own.")
    ] = None,
    ids: Annotated[
        Path | None, typer.Option("--ids", help="File of paper ids: of the corpus (JSON Lines), only these.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Split of a BEIR folder; default: undivided, test or dev.")
    ] = None,
    style: Annotated[str | None, typer.Option("--style", help="auto, quote or synthesis.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Catalogue name or GGUF file.")] = None,
    results: Annotated[
        Path | None,
        typer.Option("--results", help="Where to write; default: results/ beside a question set."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Write the ranking as a TREC run; gzipped for .gz.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", help="A TREC run (.gz too) or a results .json to show differences to."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write the report as a page, with the failures to read first."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            help="Folder that keeps what the language model said, by content; default: in the user's cache.",
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Generate everything anew, to measure speed.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Run conditions; fail where a score is worse than expected.")
    ] = False,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="With --check: print the scores found, as TOML for the file of conditions."
        ),
    ] = False,
    conditions: Annotated[
        Path, typer.Option("--conditions", help="File of the conditions that --check runs.")
    ] = CONDITIONS,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval, grounding and abstention on a question set, without a judge model."""
    from rag_qa.evaluation.conditions import choose, load_conditions
    from rag_qa.evaluation.evaluating import find_set
    from rag_qa.evaluation.html_report import write_html
    from rag_qa.evaluation.reports import render, to_json

    if cache is not None and no_cache:
        raise typer.BadParameter("--cache and --no-cache exclude each other; give one")
    kept = None if no_cache else cache or memory_file(user_cache_path, "generations")
    if record and not check:
        raise typer.BadParameter("--record goes with --check")
    if check:
        asked = {"--corpus": corpus, "--ids": ids, "--split": split, "--style": style, "--model": model}
        asked |= {"--results": results, "--run": run, "--baseline": baseline, "--html": html}
        if given := [name for name, value in asked.items() if value]:
            raise typer.BadParameter(f"{given[0]} does not go with --check: a condition says what is run")
        chosen = choose(load_conditions(conditions), targets or [])
        if record:
            record_conditions(chosen, index, kept)
        else:
            check_conditions(chosen, index, as_json, kept)
        return
    if not targets or len(targets) > 1:
        raise typer.BadParameter("name one FOLDER, or use --check")
    folder = find_set(targets[0])
    if results is None and (folder / "set.toml").is_file():
        results = _results_beside(folder.resolve())
    report = measure(
        folder,
        load_settings(style=style, model=model),
        index=index,
        corpus=corpus or [],
        ids=ids,
        split=split,
        cache=kept,
        results=results,
        run_file=run,
        baseline=baseline,
    )
    if html is not None:
        write_html(report, html)
    typer.echo(to_json(report) if as_json else render(report), nl=False)


def _results_beside(folder: Path) -> Path:
    """Return the nearest folder `results` above a set (eval/results of eval/sets/fields/dev), or the one beside it."""
    above = (parent / "results" for parent in folder.parents)
    return next((path for path in above if path.is_dir()), folder.parent / "results")


def record_conditions(conditions: Sequence["Condition"], index: Path | None, cache: Path | None) -> None:
    """Run the conditions and print what was found as blocks of the file of conditions."""
    from rag_qa.evaluation.conditions import record as record_scores

    for condition in conditions:
        if reason := condition.skipped:
            typer.echo(f"# {condition.name} skipped: {reason}")
        else:
            typer.echo(record_scores(condition, _measure_condition(condition, index, cache)) + "\n")


def check_conditions(
    conditions: Sequence["Condition"], index: Path | None, as_json: bool, cache: Path | None
) -> None:
    """Run the conditions and print what was found for each score; end with status 1 where one is missed.

    A condition whose data is absent is skipped. Raises EvaluationError when that leaves nothing to check.
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
    return measure(
        condition.folder,
        load_settings(style=condition.style, model=condition.model),
        index=index,
        corpus=condition.corpus,
        ids=condition.ids,
        split=condition.split,
        cache=cache,
    )


def _findings_json(findings: Sequence["Finding"], skipped: dict[str, str]) -> str:
    rows = [finding.model_dump(exclude_none=True) | {"ok": finding.ok} for finding in findings]
    return json.dumps({"findings": rows, "skipped": skipped}, ensure_ascii=False, indent=1)


def measure(
    folder: Path,
    settings: Settings,
    *,
    index: Path | None = None,
    corpus: Sequence[Path] = (),
    ids: Path | None = None,
    split: str | None = None,
    cache: Path | None = None,
    **options: Any,
) -> EvalReport:
    """Evaluate a folder over an index, or over one of its corpus that is kept in the user's cache.

    `cache` is the folder that keeps what the language model said; without one everything is generated anew.
    """
    from rag_qa.evaluation.caching import CachedGenerator
    from rag_qa.evaluation.corpora import corpus_of
    from rag_qa.evaluation.datasets import CorpusSet
    from rag_qa.evaluation.evaluating import evaluate, load_set

    # Chosen once: between two choices memory may have become free or scarce.
    settings = settings.model_copy(update={"model": choose_model(settings.model).name})
    with progress_bar(Console(stderr=True)) as tell:
        if index is None:
            judged = load_set(folder, split=split)
            listed = None if corpus or not isinstance(judged, CorpusSet) else judged.ids
            index = _index_of(corpus or corpus_of(judged), ids or listed, settings, tell)
        generator = None
        if cache is not None and style_of(settings) == "synthesis":
            generator = CachedGenerator(open_generator(settings), cache)
        with Assistant.open(index, settings=settings, generator=generator) as assistant:
            return evaluate(
                folder,
                assistant,
                split=split,
                support=is_supported,
                cache=generator,
                progress=lambda done, total: tell("asking", done, total),
                **options,
            )


def is_supported(sentence: str, quotes: Sequence[str]) -> bool:
    """Whether our own verdict on a sentence is `supported`; the reports name this as what decides."""
    return verdict_on(sentence, quotes).label == "supported"


def _index_of(sources: Sequence[Path], ids: Path | None, settings: Settings, tell: "Progress") -> Path:
    """Return an index of the papers, kept in the user's cache for their paths and embedder, and up to date."""
    from rag_qa.evaluation.corpora import select_papers
    from rag_qa.index.builder import build_index

    parts = [str(path.expanduser().resolve()) for path in [*sources, *([ids] if ids else [])]]
    key = hashlib.sha256("\0".join([*parts, settings.embedder]).encode()).hexdigest()[:12]
    cache = home_folder(user_cache_path)
    if cache is None:
        raise EvaluationError("this user has no home folder; name one for caches with XDG_CACHE_HOME")
    index = cache / "eval" / f"{(ids or sources[0]).resolve().name}-{key}"
    if ids is not None:
        sources = [select_papers(sources, ids, index.with_name(f"{index.name}.jsonl"))]
    build_index(sources, index, settings=settings, prune=True, progress=tell)
    return index
