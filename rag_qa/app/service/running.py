"""Puts a service together: models opened once for all indexes, a warm start, then uvicorn."""

import os
import platform
import socket
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from rag_qa.answering.assistant import style_of
from rag_qa.app.service.access import Access
from rag_qa.app.service.announcing import Announcement, announced
from rag_qa.app.service.app import create_app
from rag_qa.app.service.connections import HurriedProtocol
from rag_qa.app.service.fingerprints import answer_fingerprint, search_fingerprint
from rag_qa.app.service.library import Library, Models
from rag_qa.app.service.state import State
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.backends.locating import ModelChoice
from rag_qa.backends.reranking import open_reranker
from rag_qa.settings import Settings
from rag_qa.version import __version__

GRACE_S = 3
# The address at which a service is found that listens at every address.
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def open_library(folders: Sequence[Path], settings: Settings, *, limit: int) -> Library:
    """Open indexes and models, and use each once: the first question then waits for nothing.

    `settings.model` names the language model, not `auto`. Raises as `Assistant.open` does.
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


def run_service(
    library: Library,
    listener: socket.socket,
    *,
    settings: Settings,
    choice: ModelChoice,
    token: str | None = None,
) -> None:
    """Answer requests until the process is asked to end; meanwhile the command line can find the service.

    `settings` are those that were set, with which `choice` is the language model.
    """
    access = Access(token)
    config = uvicorn.Config(
        create_app(State(library, access)),
        log_level="warning",
        access_log=False,
        server_header=False,
        http=HurriedProtocol,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
    )
    announcement = announce(library, listener, settings=settings, choice=choice, secret=access.secret)
    try:
        with announced(announcement):
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        if not library.close():
            # A model in the middle of a prompt cannot be stopped, and would crash when the interpreter ends.
            os._exit(0)


def announce(
    library: Library, listener: socket.socket, *, settings: Settings, choice: ModelChoice, secret: str
) -> Announcement:
    """Return the announcement of a service."""
    host, port = listener.getsockname()[:2]
    quoting = settings.model_copy(update={"style": "quote"})
    return Announcement(
        machine=platform.node(),
        version=__version__,
        host=ANYWHERE.get(host, host),
        port=port,
        secret=secret,
        indexes={str(shelf.quoting.folder.resolve()): name for name, shelf in library.shelves.items()},
        search=search_fingerprint(settings),
        answers={"quote": answer_fingerprint(quoting), "": answer_fingerprint(settings)},
        choice=choice,
    )
