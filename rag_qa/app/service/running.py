"""A service from its parts: models opened once for all indexes, everything warm, then uvicorn."""

import socket
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from rag_qa.answering.assistant import style_of
from rag_qa.app.service.app import create_app
from rag_qa.app.service.library import Library, Models
from rag_qa.app.service.state import State
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.backends.reranking import open_reranker
from rag_qa.settings import Settings

GRACE_S = 3


def open_library(folders: Sequence[Path], settings: Settings, *, limit: int) -> Library:
    """Open indexes and models, and use each once, so that the first question waits for nothing.

    `settings.model` names the language model that serves. Raises as `Assistant.open` does.
    """
    generator = open_generator(settings) if style_of(settings) == "synthesis" else None
    if generator:
        generator.load_ahead()
    models = Models(open_embedder(settings), generator, open_reranker(settings, generator))
    library = Library(folders, settings, models, limit=limit)
    try:
        for shelf in library.shelves.values():
            shelf.quoting.assistant().search("a warm start", 1)
    except BaseException:
        library.close()
        raise
    return library


def run_service(library: Library, listener: socket.socket) -> None:
    """Answer requests until the process is asked to end."""
    config = uvicorn.Config(
        create_app(State(library)),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        library.close()
