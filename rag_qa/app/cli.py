"""`rag-qa`: parse, call, render. Answers go to stdout, progress and errors to stderr."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.answering.receipts.write import check_free, write_receipt
from rag_qa.app.bench import bench_app
from rag_qa.app.calibrate import calibrate
from rag_qa.app.chat import chat_with
from rag_qa.app.doctor import doctor
from rag_qa.app.evaluate import evaluate_set
from rag_qa.app.fates import check_writable, write_fates
from rag_qa.app.filtering import make_filter
from rag_qa.app.found import found_json
from rag_qa.app.models import models_app
from rag_qa.app.options import (
    DEFAULT_INDEX,
    AuthorOption,
    ContextOption,
    EmbedderOption,
    GpuOption,
    IndexOption,
    JsonOption,
    LiteralOption,
    ModelOption,
    NoServiceOption,
    PapersOption,
    PromptsOption,
    RerankerOption,
    SaveOption,
    SinceOption,
    SourceOption,
    StatusOption,
    StrictOption,
    StyleOption,
    ThreadsOption,
    VenueOption,
    WithoutOption,
    YearOption,
    load_settings,
)
from rag_qa.app.papers import papers
from rag_qa.app.progress import progress_bar, with_spinner
from rag_qa.app.receipts import replay, verify
from rag_qa.app.rendering import safe_json, say, show_hits, show_report, show_skips, show_stream, why_skipped
from rag_qa.app.service.bodies import Found
from rag_qa.app.service.client import find_service
from rag_qa.app.service.serve import serve
from rag_qa.app.streams import NO_ROOM, flush_output, give_up_output, prepare_streams, print_json
from rag_qa.backends.locating import ModelChoice, choose_model
from rag_qa.corpus.decoding import decode_bytes
from rag_qa.errors import RagQAError, SourceError
from rag_qa.index.builder import build_index
from rag_qa.sample import sample_papers_path
from rag_qa.settings import Settings
from rag_qa.types import Explanation, Hit
from rag_qa.version import __version__

app = typer.Typer(
    help="Ask questions of scientific papers, offline; every sentence cites a verbatim quote.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(models_app, name="models")
app.add_typer(bench_app, name="bench")
app.command()(doctor)
app.command("eval")(evaluate_set)
app.command()(verify)
app.command()(replay)
app.command()(calibrate)
app.command()(papers)
app.command()(serve)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Ask questions of scientific papers, offline; every sentence cites a verbatim quote."""
    if version:
        typer.echo(f"rag-qa {__version__}")
        raise typer.Exit


@app.command()
def index(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, globs, or - for standard input.")
    ] = None,
    index: IndexOption = DEFAULT_INDEX,
    embedder: EmbedderOption = None,
    format: Annotated[str | None, typer.Option("--format", help="Overrule the recognised format.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Index the sample papers that ship.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what has gone from the sources.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Make any skipped record an error.")] = False,
    fates: Annotated[
        Path | None, typer.Option("--report", help="Write what became of each record: JSON Lines.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Index papers: author pages, JSON Lines, CSV, BibTeX, RIS, arXiv Atom, BEIR; plain or gzip."""
    wanted: list[str | Path] = [*(sources or []), *([sample_papers_path()] if sample else [])]
    if not wanted:
        raise SourceError("nothing to index; name a file or folder, or use --sample")
    if fates:
        check_writable(fates)
    errors = Console(stderr=True)
    with progress_bar(errors) as tell:
        report = build_index(
            wanted,
            index,
            settings=load_settings(embedder=embedder),
            format=format,
            prune=prune,
            dry_run=dry_run,
            strict=strict,
            progress=tell,
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


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    index: IndexOption = DEFAULT_INDEX,
    k: PapersOption = None,
    year: YearOption = None,
    since: SinceOption = None,
    venue: VenueOption = None,
    author: AuthorOption = None,
    source: SourceOption = None,
    status: StatusOption = None,
    without: WithoutOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what each component gave, and what matched.")
    ] = False,
    no_service: NoServiceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find papers: best first, one passage each."""
    wanted = make_filter(
        year=year,
        since=since,
        venues=venue or (),
        authors=author or (),
        sources=source or (),
        statuses=status or (),
        without=without or (),
    )
    settings = load_settings(style="quote", k=k, embedder=embedder, reranker=reranker)
    service = None if no_service else find_service(index, settings, answers=False)
    if service:
        found = service.find(query, settings.k, filter=wanted, explain=explain)
    else:
        with Assistant.open(index, settings=settings) as assistant:
            hits = assistant.search(query, filter=wanted)
            reasons = assistant.explain(query, hits) if explain else ()
            found = Found(hits=tuple(hits), reasons=tuple(reasons))
    _print_hits(found.hits, found.reasons, as_json=as_json)


@app.command()
def similar(
    paper_id: Annotated[str | None, typer.Argument(help="Id of a paper in the index.")] = None,
    text_file: Annotated[
        Path | None, typer.Option("--text-file", help="File with an abstract or some pages of text.")
    ] = None,
    index: IndexOption = DEFAULT_INDEX,
    k: PapersOption = None,
    embedder: EmbedderOption = None,
    no_service: NoServiceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find papers like a paper of the index, or like a text: best first, one passage each."""
    text = _read_text(text_file) if text_file else None
    settings = load_settings(style="quote", k=k, embedder=embedder)
    service = None if no_service else find_service(index, settings, answers=False)
    with service or Assistant.open(index, settings=settings) as papers_of:
        hits = papers_of.similar(paper_id, text=text, k=settings.k)
    _print_hits(hits, [], as_json=as_json)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question.")],
    index: IndexOption = DEFAULT_INDEX,
    k: PapersOption = None,
    year: YearOption = None,
    since: SinceOption = None,
    venue: VenueOption = None,
    author: AuthorOption = None,
    source: SourceOption = None,
    status: StatusOption = None,
    without: WithoutOption = None,
    literal: LiteralOption = False,
    style: StyleOption = None,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    context: ContextOption = None,
    threads: ThreadsOption = None,
    gpu_layers: GpuOption = None,
    prompts: PromptsOption = None,
    strict: StrictOption = None,
    save: SaveOption = None,
    no_service: NoServiceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from the papers, or say that they don't."""
    wanted = make_filter(
        year=year,
        since=since,
        venues=venue or (),
        authors=author or (),
        sources=source or (),
        statuses=status or (),
        without=without or (),
    )
    settings = load_settings(
        style=style,
        model=model,
        embedder=embedder,
        reranker=reranker,
        context_tokens=context,
        threads=threads,
        gpu_layers=gpu_layers,
        prompts=prompts,
        strict=strict,
        evidence_papers=k,
        listed_papers=k,
    )
    errors = Console(stderr=True)
    if save:
        check_free(save)
    service = None if no_service else find_service(index, settings, answers=True)
    choice = service.choice if service else choose_model(settings.model)
    settings = settings.model_copy(update={"model": choice.name})
    with service or Assistant.open(index, settings=settings) as assistant:
        _say_why(errors, choice, settings)
        if as_json:
            answer = assistant.ask(question, filter=wanted, literal=literal)
            print_json(safe_json(answer.model_dump_json(indent=2)))
        else:
            stream = assistant.stream(question, filter=wanted, literal=literal)
            with closing(with_spinner(stream, errors)) as events:
                answer = show_stream(Console(), events)
    if save:
        write_receipt(answer, save)
        say(errors, f"Saved: {save}")


@app.command()
def chat(
    index: IndexOption = DEFAULT_INDEX,
    year: YearOption = None,
    since: SinceOption = None,
    venue: VenueOption = None,
    author: AuthorOption = None,
    source: SourceOption = None,
    status: StatusOption = None,
    without: WithoutOption = None,
    literal: LiteralOption = False,
    style: StyleOption = None,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    context: ContextOption = None,
    threads: ThreadsOption = None,
    gpu_layers: GpuOption = None,
    prompts: PromptsOption = None,
    strict: StrictOption = None,
) -> None:
    """Ask, and ask on: answers stream, follow-ups are understood. /help shows the commands."""
    wanted = make_filter(
        year=year,
        since=since,
        venues=venue or (),
        authors=author or (),
        sources=source or (),
        statuses=status or (),
        without=without or (),
    )
    settings = load_settings(
        style=style,
        model=model,
        embedder=embedder,
        context_tokens=context,
        threads=threads,
        gpu_layers=gpu_layers,
        prompts=prompts,
        strict=strict,
    )
    choice = choose_model(settings.model)
    settings = settings.model_copy(update={"model": choice.name})
    with Assistant.open(index, settings=settings) as assistant:
        _say_why(Console(stderr=True), choice, settings)
        chat_with(assistant, Console(), filter=wanted, literal=literal)


def _say_why(errors: Console, choice: ModelChoice, settings: Settings) -> None:
    """Say in a line why the starter serves, where the language model was left to us and matters."""
    if choice.reason and settings.style != "quote":
        say(errors, f"rag-qa: {choice.name} serves: {choice.reason}")


def _read_text(path: Path) -> str:
    try:
        return decode_bytes(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise SourceError(f"{path} cannot be read as text ({exc}); give --text-file another file") from exc


def _print_hits(hits: Sequence[Hit], reasons: Sequence[Explanation], *, as_json: bool) -> None:
    if as_json:
        print_json(safe_json(found_json(hits, reasons)))
    else:
        show_hits(Console(), hits, reasons)


def main() -> None:
    """Run the program: told errors in one line with status 1, usage errors with 2, Ctrl-C with 130."""
    prepare_streams()
    try:
        try:
            app()
        finally:
            flush_output()
    except RagQAError as exc:
        say(Console(stderr=True), f"rag-qa: {exc}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # such as `| head`: whoever read has seen enough
        give_up_output()
        sys.exit(1)
    except OSError as exc:
        if exc.errno not in NO_ROOM:
            raise
        give_up_output()
        where = exc.filename or "standard output, or a file on a full disk"
        say(
            Console(stderr=True), f"rag-qa: cannot write {where} ({exc.strerror}); make room and run it again"
        )
        sys.exit(1)
