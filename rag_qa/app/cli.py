"""`rag-qa`: the table of commands, and how errors end the program.

Answers go to standard output; progress and errors go to standard error.
"""

import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.commands import (
    ask,
    bench,
    calibrate,
    chat,
    cite,
    doctor,
    eval,
    index,
    mcp,
    models,
    papers,
    replay,
    search,
    serve,
    similar,
    verify,
)
from rag_qa.app.printing import say
from rag_qa.app.streams import NO_ROOM, flush_output, give_up_output, prepare_streams
from rag_qa.errors import RagQAError
from rag_qa.version import __version__

# In the order in which help lists them: name, what it does, its examples.
COMMANDS: tuple[tuple[str, Callable[..., None] | typer.Typer, str], ...] = (
    ("index", index.index, index.EXAMPLES),
    ("search", search.search, search.EXAMPLES),
    ("similar", similar.similar, similar.EXAMPLES),
    ("ask", ask.ask, ask.EXAMPLES),
    ("chat", chat.chat, chat.EXAMPLES),
    ("papers", papers.papers, papers.EXAMPLES),
    ("cite", cite.cite, cite.EXAMPLES),
    ("verify", verify.verify, verify.EXAMPLES),
    ("replay", replay.replay, replay.EXAMPLES),
    ("calibrate", calibrate.calibrate, calibrate.EXAMPLES),
    ("eval", eval.evaluate_set, eval.EXAMPLES),
    ("bench", bench.bench_app, bench.EXAMPLES),
    ("models", models.models_app, models.EXAMPLES),
    ("doctor", doctor.doctor, doctor.EXAMPLES),
    ("serve", serve.serve, serve.EXAMPLES),
    ("mcp", mcp.serve_mcp, mcp.EXAMPLES),
)

app = typer.Typer(
    help="Ask questions about scientific papers, offline; every sentence cites a verbatim quote.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for name, command, examples in COMMANDS:
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, epilog=examples)
    else:
        app.command(name, epilog=examples)(command)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Ask questions about scientific papers, offline; every sentence cites a verbatim quote."""
    if version:
        typer.echo(f"rag-qa {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the program.

    It exits with status 1 and one line on standard error for an error of ours, with 2 for wrong usage, and with 130
    after Ctrl-C. A bug keeps its traceback.
    """
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
    except BrokenPipeError:  # such as `| head`: the reader has seen enough
        give_up_output()
        sys.exit(1)
    except OSError as exc:
        if exc.errno not in NO_ROOM:
            raise
        give_up_output()
        where = exc.filename or "standard output, or a file on a full disk"
        say(
            Console(stderr=True),
            f"rag-qa: cannot write {where} ({exc.strerror}); free some space and run it again",
        )
        sys.exit(1)
