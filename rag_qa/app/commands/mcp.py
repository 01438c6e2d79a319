"""`rag-qa mcp`: the papers as tools of an assistant such as Claude Desktop, VS Code or Zed.

Over standard input and output, where nothing but the protocol is written; or over HTTP, on this machine's own address
alone and with a token, because web pages can reach that address as well.
"""

import secrets
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.model_choice import explain_choice, settle_model
from rag_qa.app.options import (
    DEFAULT_INDEX,
    Flags,
    IndexOption,
    examples,
    load_settings,
    with_model_flags,
)
from rag_qa.app.printing import say
from rag_qa.app.service.listening import TOKEN_LENGTH, address_of, listen
from rag_qa.errors import SettingsError
from rag_qa.settings import Settings

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

EXAMPLES = examples("rag-qa mcp --index rag-qa-index", "rag-qa mcp --http 8766")
HOST = "127.0.0.1"
PATH = "/mcp"


@with_model_flags
def serve_mcp(
    index: IndexOption = DEFAULT_INDEX,
    http: Annotated[
        int | None,
        typer.Option(
            "--http", metavar="PORT", min=0, max=65535, help="Serve HTTP on this port; 0: any that is free."
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="RAG_QA_TOKEN",
            help="Token that HTTP requests must show; default: a new one, which is printed.",
        ),
    ] = None,
    *,
    flags: Flags,
) -> None:
    """Give the papers as tools to an assistant (MCP).

    The Model Context Protocol is spoken on standard input and output, or over HTTP.
    """
    errors = Console(stderr=True)
    settings, choice = settle_model(load_settings(**flags))
    explain_choice(errors, choice, settings)
    listener = None if http is None else _listen(http, token)
    with Assistant.open(index, settings=settings) as assistant:
        server = _make_server(assistant, settings)
        if listener is None:
            server.run("stdio")
        else:
            with closing(listener):
                _run_http(server, listener, token, errors)


def _listen(port: int, token: str | None) -> socket.socket:
    if token is not None and len(token) < TOKEN_LENGTH:
        raise SettingsError(
            f"a token of {len(token)} characters can be guessed; give a --token of at least {TOKEN_LENGTH}, or none"
        )
    return listen(HOST, port, token, flags="--http")


def _make_server(assistant: Assistant, settings: Settings) -> "MCPServer":
    from rag_qa.answering.verdict.model import open_verifier
    from rag_qa.app.mcp_tools import make_server
    from rag_qa.backends.embedding import open_embedder

    return make_server(assistant, open_verifier(settings, open_embedder(settings)))


def _run_http(server: "MCPServer", listener: socket.socket, token: str | None, errors: Console) -> None:
    """Serve until somebody stops it; a token is printed only if it was made here."""
    import uvicorn

    from rag_qa.app.service.access import Access
    from rag_qa.app.service.connections import HurriedProtocol
    from rag_qa.app.service.gate import TokenGate

    made = token or secrets.token_urlsafe()
    shown = "the token given" if token else made
    address = address_of(listener, PATH)
    say(errors, f"MCP at {address} (Ctrl-C stops it); send `Authorization: Bearer TOKEN` with {shown}")
    app = TokenGate(server.streamable_http_app(streamable_http_path=PATH), Access(made))
    uvicorn.Server(uvicorn.Config(app, log_level="warning", http=HurriedProtocol, ws="none")).run(
        sockets=[listener]
    )
