"""`rag-qa serve`: open the indexes, load the models, and answer over HTTP until somebody stops it."""

import secrets
import socket
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.options import (
    DEFAULT_INDEX,
    ContextOption,
    EmbedderOption,
    GpuOption,
    ModelOption,
    PromptsOption,
    RerankerOption,
    StrictOption,
    StyleOption,
    ThreadsOption,
    load_settings,
)
from rag_qa.app.rendering import say
from rag_qa.app.service.access import is_loopback
from rag_qa.backends.locating import choose_model
from rag_qa.errors import SettingsError

PORT = 8765
BACKLOG = 128
TOKEN_LENGTH = 16


def serve(
    index: Annotated[
        list[Path] | None,
        typer.Option("--index", envvar="RAG_QA_INDEX", help="Folder of an index (repeatable)."),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0: any that is free.")] = PORT,
    token: Annotated[
        str | None,
        typer.Option(
            "--token", envvar="RAG_QA_TOKEN", help="What requests must show; needed beyond this machine."
        ),
    ] = None,
    queue: Annotated[int, typer.Option("--queue", min=1, help="Questions that may wait for the model.")] = 8,
    style: StyleOption = None,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    context: ContextOption = None,
    threads: ThreadsOption = None,
    gpu_layers: GpuOption = None,
    prompts: PromptsOption = None,
    strict: StrictOption = None,
) -> None:
    """Serve indexes over HTTP, on this machine: a page, a JSON interface, and OpenAI's."""
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
    )
    choice = choose_model(settings.model)
    errors = Console(stderr=True)
    listener = listen(host, port, token)
    try:
        from rag_qa.app.service.running import open_library, run_service

        library = open_library(
            index or [DEFAULT_INDEX], settings.model_copy(update={"model": choice.name}), limit=queue
        )
        if choice.reason and settings.style != "quote":
            say(errors, f"rag-qa: {choice.name} serves: {choice.reason}")
        say(errors, f"{', '.join(library.shelves)}: {address_of(listener)} (Ctrl-C stops the service)")
        run_service(library, listener, settings=settings, choice=choice, token=token)
    finally:
        listener.close()


def listen(host: str, port: int, token: str | None) -> socket.socket:
    """Return a socket that listens. Raises SettingsError for an address that cannot be had, or needs a token."""
    if not is_loopback(host) and len(token or "") < TOKEN_LENGTH:
        raise SettingsError(
            f"{host} can be reached from other machines; give a --token of at least {TOKEN_LENGTH} characters, "
            f"such as {secrets.token_urlsafe(TOKEN_LENGTH)}"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as exc:
        raise SettingsError(
            f"cannot listen on {host}, port {port} ({exc}); name another with --host and --port"
        ) from exc


def address_of(listener: socket.socket) -> str:
    """Return the address of the page."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
