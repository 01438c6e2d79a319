"""`rag-qa index`: papers from files and folders into a searchable index."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.index_report import check_writable, show_report, show_skips, why_skipped, write_fates
from rag_qa.app.options import (
    DEFAULT_INDEX,
    ChromaOption,
    EmbedderOption,
    IndexOption,
    JsonOption,
    examples,
    load_settings,
)
from rag_qa.app.printing import safe_json
from rag_qa.app.progress import progress_bar
from rag_qa.app.streams import print_json
from rag_qa.errors import SourceError
from rag_qa.sample import sample_papers_path

EXAMPLES = examples(
    "rag-qa index --sample",
    "rag-qa index library.bib pages/*.json",
    "rag-qa index papers/ --prune --report fates.jsonl",
)


def index(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, globs, or - for standard input.")
    ] = None,
    index: IndexOption = DEFAULT_INDEX,
    embedder: EmbedderOption = None,
    chroma: ChromaOption = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", metavar="ADDRESS", help="Embed as a Ray job: `local`, or the address of a Ray cluster."
        ),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="Read every source in this format, such as bibtex.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Index the sample papers that come with rag_qa.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove papers that are no longer in the sources.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail if any record is skipped.")] = False,
    fates: Annotated[
        Path | None,
        typer.Option("--report", help="Write what became of each record into a file, as JSON Lines."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Index papers from files and folders.

    Formats: author pages, JSON Lines, CSV, BibTeX, RIS, arXiv Atom and BEIR, plain or gzip.
    """
    from rag_qa.index.builder import build_index

    wanted: list[str | Path] = [*(sources or []), *([sample_papers_path()] if sample else [])]
    if not wanted:
        raise SourceError("nothing to index; name a file or folder, or use --sample")
    if fates:
        check_writable(fates)
    errors = Console(stderr=True)
    with progress_bar(errors) as progress:
        report = build_index(
            wanted,
            index,
            settings=load_settings(embedder=embedder, chroma_url=chroma, ray=ray),
            format=format,
            prune=prune,
            dry_run=dry_run,
            strict=strict,
            progress=progress,
        )
    if fates:
        write_fates(report, fates)
    if as_json:
        print_json(safe_json(report.model_dump_json(indent=2, exclude={"fates"})))
    else:
        show_skips(errors, report)
        show_report(Console(), report, dry_run=dry_run)
    if not report.read:
        raise SourceError(
            f"no paper was taken: {why_skipped(report.skips)}. Export papers with their abstracts, as BibTeX, RIS or "
            "JSON Lines; --report FILE says what became of each record"
        )
