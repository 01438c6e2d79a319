"""`rag-qa bench`: speed on this machine, as ratios to the libraries underneath."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.options import DEFAULT_INDEX, IndexOption, JsonOption, ModelOption, examples, load_settings
from rag_qa.app.progress import progress_bar

EXAMPLES = examples(
    "rag-qa bench start", "rag-qa bench index library.bib --papers 200", "rag-qa bench search queries.txt"
)
QUERY = "which papers discuss games with several players?"

bench_app = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True, rich_markup_mode=None)


@bench_app.callback()
def bench() -> None:
    """Measure speed on this machine."""


@bench_app.command("index")
def index(
    sources: Annotated[list[Path], typer.Argument(help="Files or folders of papers to draw from.")],
    papers: Annotated[int, typer.Option("--papers", help="How many papers to draw.", min=1)] = 500,
    runs: Annotated[int, typer.Option("--runs", help="How many times to measure each.", min=1)] = 3,
    as_json: JsonOption = False,
) -> None:
    """Compare building an index, and embedding alone, with plain sentence-transformers in float32."""
    from rag_qa.evaluation.index_benchmark import bench_index

    with progress_bar(Console(stderr=True)) as progress:
        found = bench_index(sources, load_settings(), papers=papers, runs=runs, progress=progress)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    typer.echo(f"{found.papers} papers, {found.passages} passages, {runs} runs each")
    typer.echo(f"building an index:      {_shown(found.papers, found.building_s)} papers a second")
    typer.echo(f"plain float32 encoding: {_shown(found.papers, found.encoding_s)} papers a second")
    typer.echo(f"our embedding alone:    {_shown(found.papers, found.embedding_s)} papers a second")
    typer.echo(
        f"against plain encoding (median of the runs): building {found.ratio:.2f} times, embedding "
        f"{found.embedding_ratio:.2f} times as fast; mean cosine of the vectors: {found.cosine:.5f}"
    )


@bench_app.command("search")
def search(
    queries: Annotated[
        Path, typer.Argument(help="A file with one query a line, or JSON Lines with `text` (plain or gzip).")
    ],
    index: IndexOption = DEFAULT_INDEX,
    count: Annotated[int, typer.Option("--queries", help="How many of the queries to use.", min=1)] = 100,
    as_json: JsonOption = False,
) -> None:
    """Compare searching an index with plain sentence-transformers, a numpy product and bm25s."""
    from rag_qa.evaluation.search_benchmark import bench_search, read_texts

    asked = read_texts(queries)[:count]
    with progress_bar(Console(stderr=True)) as progress:
        found = bench_search(index, asked, load_settings(), progress=progress)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    typer.echo(f"{found.queries} queries; milliseconds, median and 95th percentile")
    typer.echo(f"embedding the query: {_pair(found.embedding_ms)}")
    typer.echo(f"search, exact:       {_pair(found.exact_ms)}")
    typer.echo(
        f"search, graph:       {_pair(found.graph_ms)}; shares {found.graph_overlap:.3f} of the first 20"
    )
    typer.echo(f"plain embedding:     {_pair(found.plain_embedding_ms)}")
    typer.echo(f"numpy product:       {_pair(found.product_ms)}")
    typer.echo(f"bm25s:               {_pair(found.bm25_ms)}")
    typer.echo(
        f"against these three (median of the queries): search, exact, {found.ratio:.2f} times as fast; embedding "
        f"{found.embedding_ratio:.2f} times"
    )
    typer.echo(f"loading the plain model: {_seconds(found.loading_s)} s")
    typer.echo(f"open and first search:   {_seconds(found.first_search_s)} s")
    typer.echo(f"memory: {found.memory_mib:.0f} MiB; plain model: {found.plain_memory_mib:.0f} MiB")


@bench_app.command("prompt")
def prompt(
    model: ModelOption = None,
    runs: Annotated[int, typer.Option("--runs", help="How many prompts to read.", min=1)] = 5,
    as_json: JsonOption = False,
) -> None:
    """Compare reading prompts with plain llama.cpp."""
    from rag_qa.evaluation.prompt_benchmark import bench_prompt

    with progress_bar(Console(stderr=True)) as progress:
        found = bench_prompt(load_settings(model=model), runs=runs, progress=progress)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    typer.echo(f"prompts of {found.tokens} tokens; seconds")
    typer.echo(f"reading one:                    {_seconds(found.reading_s, 2)}")
    typer.echo(f"plain llama.cpp:                {_seconds(found.plain_s, 2)}")
    typer.echo(f"another question on the same:   {_seconds(found.kept_s, 2)}")
    typer.echo(
        f"against plain llama.cpp (median of the runs): {found.ratio:.2f} times as fast; "
        f"{found.kept_ratio:.2f} times if the beginning is kept"
    )


@bench_app.command("start")
def start(
    index: IndexOption = DEFAULT_INDEX,
    query: Annotated[str, typer.Option("--query", help="The query, which is also the question.")] = QUERY,
    runs: Annotated[int, typer.Option("--runs", help="How many times to start each.", min=1)] = 5,
    as_json: JsonOption = False,
) -> None:
    """Time fresh processes that search and ask, with ONNX Runtime and with sentence-transformers, in turns."""
    from rag_qa.evaluation.start_benchmark import bench_start, render

    with progress_bar(Console(stderr=True)) as progress:
        found = bench_start(index, query, runs=runs, progress=progress)
    typer.echo(found.model_dump_json(indent=2) if as_json else render(found))


def _pair(values: tuple[float, float]) -> str:
    return f"{values[0]:.1f}, {values[1]:.1f}"


def _seconds(values: tuple[float, ...], digits: int = 1) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)


def _shown(papers: int, seconds: tuple[float, ...]) -> str:
    return ", ".join(f"{papers / s:.1f}" for s in seconds)
