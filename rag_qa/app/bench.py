"""`rag-qa bench`: speed on this machine, as ratios to the libraries underneath."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.options import JsonOption, load_settings
from rag_qa.app.progress import progress_bar
from rag_qa.evaluation.benchmarks import bench_index

bench_app = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True, rich_markup_mode=None)


@bench_app.callback()
def bench() -> None:
    """Measure speed on this machine."""


@bench_app.command("index")
def index(
    sources: Annotated[list[Path], typer.Argument(help="Files or folders of papers to draw from.")],
    papers: Annotated[int, typer.Option("--papers", help="How many papers to draw.", min=1)] = 500,
    runs: Annotated[int, typer.Option("--runs", help="How often to measure each.", min=1)] = 3,
    as_json: JsonOption = False,
) -> None:
    """Build an index, and encode the same passages with plain sentence-transformers in float32, in turns."""
    with progress_bar(Console(stderr=True)) as tell:
        found = bench_index(sources, load_settings(), papers=papers, runs=runs, tell=tell)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    typer.echo(f"{found.papers} papers, {found.passages} passages, {runs} runs each")
    typer.echo(f"building an index:      {_shown(found.papers, found.building_s)} papers a second")
    typer.echo(f"plain float32 encoding: {_shown(found.papers, found.encoding_s)} papers a second")
    typer.echo(
        f"ratio (median of the runs): {found.ratio:.2f}; mean cosine of the vectors: {found.cosine:.5f}"
    )


def _shown(papers: int, seconds: tuple[float, ...]) -> str:
    return ", ".join(f"{papers / s:.1f}" for s in seconds)
