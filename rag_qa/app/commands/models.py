"""`rag-qa models`: which models there are, which of them are on this machine, and how to get the others."""

import json
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from rag_qa.app.models_page import size_text
from rag_qa.app.options import JsonOption, examples
from rag_qa.backends.catalogue import ModelEntry, ModelKind, catalogue
from rag_qa.errors import ModelHashError, ModelNotFoundError
from rag_qa.types import Value

EXAMPLES = examples("rag-qa models list", "rag-qa models pull Qwen2.5-Coder-1.5B-Instruct")
models_app = typer.Typer(
    help="List the known models, or download one.", no_args_is_help=True, rich_markup_mode=None
)
Status = Literal["here", "damaged", "not here"]
COLORS: dict[Status, str] = {"here": "green", "damaged": "red", "not here": "yellow"}


class ModelRow(Value):
    """A line of `rag-qa models list`; `where` is a path, or the command that gets the model."""

    name: str
    kind: ModelKind
    size_mb: int
    license: str
    context: int
    status: Status
    where: str
    description: str


def model_rows() -> list[ModelRow]:
    """Look for every model of the catalogue on this machine, and check the hashes of those found."""
    return [_row(entry) for entry in catalogue()]


def _row(entry: ModelEntry) -> ModelRow:
    from rag_qa.backends.locating import locate_entry, reinstall_command

    status: Status = "here"
    try:
        where = str(locate_entry(entry).path)
    except ModelNotFoundError:
        status, where = "not here", entry.install_command
    except ModelHashError:
        status, where = "damaged", reinstall_command(entry)
    shown = entry.model_dump(include={"name", "kind", "size_mb", "license", "context", "description"})
    return ModelRow(status=status, where=where, **shown)


@models_app.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List the known models.

    Each is listed with its path on this machine, or with the command that gets it.
    """
    rows = model_rows()
    if as_json:
        print(json.dumps([row.model_dump() for row in rows], indent=2))
        return
    console = Console(soft_wrap=True, highlight=False)
    for row in rows:
        if console.is_terminal:
            _show(console, row)
        else:
            print("\t".join([row.name, row.kind, size_text(row.size_mb), row.license, row.status, row.where]))


def _show(console: Console, row: ModelRow) -> None:
    """Print two lines, so that names and paths can be copied at any width."""
    what = f"{row.kind}, {size_text(row.size_mb)}, {row.license}"
    console.print(f"[bold]{row.name}[/]  [{COLORS[row.status]}]{row.status}[/]  {what}")
    console.print(f"    {escape(row.where)}", style="dim")


@models_app.command("pull")
def pull(name: Annotated[str, typer.Argument(help="A name from `rag-qa models list`.")]) -> None:
    """Download a model from the Hugging Face Hub or a mirror.

    Commit and hash are pinned, and the hash is checked.
    """
    from rag_qa.backends.hub import pull_model

    located = pull_model(name, note=lambda line: typer.echo(line, err=True))
    if located.entry:
        typer.echo(f"{located.name}, licence: {located.entry.license}", err=True)
    typer.echo(str(located.path))
