"""`rag-qa serve`: open the indexes, load the models, and answer over HTTP until somebody stops it."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.model_choice import explain_choice, settle_model
from rag_qa.app.options import (
    DEFAULT_INDEX,
    Flags,
    RerankerOption,
    examples,
    load_settings,
    with_model_flags,
)
from rag_qa.app.printing import say
from rag_qa.app.service.listening import address_of, listen

EXAMPLES = examples(
    "rag-qa serve",
    "rag-qa serve --index mine --index theirs --port 9000",
    "rag-qa serve --host 0.0.0.0 --token A-LONG-SECRET-TOKEN",
)
PORT = 8765


@with_model_flags
def serve(
    index: Annotated[
        list[Path] | None,
        typer.Option("--index", envvar="RAG_QA_INDEX", help="Folder of an index (repeatable)."),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0: any that is free.")
    ] = PORT,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="RAG_QA_TOKEN",
            help="Token that requests must show; required if other machines can reach the address.",
        ),
    ] = None,
    queue: Annotated[
        int, typer.Option("--queue", min=1, help="Questions that may wait for the language model.")
    ] = 8,
    *,
    flags: Flags,
    reranker: RerankerOption = None,
) -> None:
    """Serve indexes over HTTP on this machine.

    There is a web page, a JSON interface, and OpenAI's chat interface.
    """
    errors = Console(stderr=True)
    settings = load_settings(**flags, reranker=reranker)
    settled, choice = settle_model(settings)
    folders = index or [DEFAULT_INDEX]
    with closing(listen(host, port, token)) as listener:
        say(errors, f"Loading {', '.join(map(str, folders))} …")
        from rag_qa.app.service.running import open_library, run_service

        library = open_library(folders, settled, limit=queue)
        explain_choice(errors, choice, settings)
        say(errors, f"{', '.join(library.shelves)}: {address_of(listener)} (Ctrl-C stops the service)")
        run_service(library, listener, settings=settings, choice=choice, token=token)
