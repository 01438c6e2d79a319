"""`rag-qa mcp`: the papers as tools of an assistant such as Claude Desktop, VS Code or Zed.

Over standard input and output, where nothing but the protocol is written; or over HTTP, on this machine's own address
alone and with a token, since pages in a browser can reach that address as well.
"""

import secrets
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.options import (
    DEFAULT_INDEX,
    ContextOption,
    EmbedderOption,
    GpuOption,
    IndexOption,
    ModelOption,
    PromptsOption,
    StrictOption,
    StyleOption,
    ThreadsOption,
    load_settings,
)
from rag_qa.app.rendering import say
from rag_qa.backends.locating import choose_model
from rag_qa.errors import SettingsError
from rag_qa.settings import Settings

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

HOST = "127.0.0.1"
PATH = "/mcp"
TOKEN_LENGTH = 16
REFUSED = b"a token is needed; send it as `Authorization: Bearer TOKEN`\n"


def serve_mcp(
    index: IndexOption = DEFAULT_INDEX,
    http: Annotated[
        int | None,
        typer.Option("--http", metavar="PORT", min=0, max=65535, help="Serve HTTP on this port; 0: any."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token", envvar="RAG_QA_TOKEN", help="What HTTP requests must show; else one is made."
        ),
    ] = None,
    style: StyleOption = None,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    context: ContextOption = None,
    threads: ThreadsOption = None,
    gpu_layers: GpuOption = None,
    prompts: PromptsOption = None,
    strict: StrictOption = None,
) -> None:
    """Give the papers to an assistant by the Model Context Protocol: on stdin and stdout, or over HTTP."""
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
    errors = Console(stderr=True)
    choice = choose_model(settings.model)
    settings = settings.model_copy(update={"model": choice.name})
    if choice.reason and settings.style != "quote":
        say(errors, f"rag-qa: {choice.name} serves: {choice.reason}")
    listener = None if http is None else listen(http, token)
    with Assistant.open(index, settings=settings) as assistant:
        server = _make_server(assistant, settings)
        if listener is None:
            server.run("stdio")
        else:
            with closing(listener):
                _run_http(server, listener, token, errors)


def listen(port: int, token: str | None) -> socket.socket:
    """Return a socket on this machine's own address. Raises SettingsError for a short token and a port in use."""
    if token is not None and len(token) < TOKEN_LENGTH:
        raise SettingsError(
            f"a token of {len(token)} characters can be guessed; give a --token of at least {TOKEN_LENGTH}, or none"
        )
    try:
        return socket.create_server((HOST, port))
    except OSError as exc:
        raise SettingsError(f"cannot listen on port {port} ({exc}); name another with --http") from exc


def _make_server(assistant: Assistant, settings: Settings) -> "MCPServer":
    from rag_qa.answering.verdict.model import open_verifier
    from rag_qa.app.mcp_tools import make_server
    from rag_qa.backends.embedding import open_embedder

    return make_server(assistant, open_verifier(settings, open_embedder(settings)))


def _run_http(server: "MCPServer", listener: socket.socket, token: str | None, errors: Console) -> None:
    """Serve until somebody stops it; a token is shown only where it was made here."""
    import uvicorn

    made = token or secrets.token_urlsafe()
    shown = "the token given" if token else made
    address = f"http://{HOST}:{listener.getsockname()[1]}{PATH}"
    say(errors, f"MCP at {address} (Ctrl-C stops it); send `Authorization: Bearer TOKEN` with {shown}")
    app = guarded(server.streamable_http_app(streamable_http_path=PATH), made)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none")).run(sockets=[listener])


def guarded(app: Any, token: str) -> Any:
    """Return an ASGI app that lets requests with the token through; comparing takes a time that tells nothing."""
    expected = f"Bearer {token}".encode()

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        shown = dict(scope.get("headers", ())).get(b"authorization", b"")
        if scope["type"] == "lifespan" or secrets.compare_digest(shown, expected):
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/plain"), (b"www-authenticate", b"Bearer")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": REFUSED})

    return guard
