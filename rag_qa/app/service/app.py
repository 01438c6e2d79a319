"""The ASGI application of a service: the gate, the routes, errors, and the page's files."""

from importlib.resources import files

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from rag_qa.app.service import chat_routes, more_routes, routes
from rag_qa.app.service.gate import Gate
from rag_qa.app.service.metrics import Metered
from rag_qa.app.service.problems import handle_errors
from rag_qa.app.service.state import State
from rag_qa.version import __version__


def create_app(state: State) -> ASGIApp:
    """Return the application of a service."""
    return Metered(Gate(create_api(state), state.access), state.metrics)


def create_api(state: State) -> FastAPI:
    """Return the routes alone, without access control."""
    app = FastAPI(
        title="rag_qa",
        version=__version__,
        summary="Questions about scientific abstracts; every sentence of an answer cites a verbatim quote.",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = state
    handle_errors(app)
    for router in (routes.router, more_routes.router, chat_routes.router):
        app.include_router(router)
    folder = str(files("rag_qa") / "app" / "service" / "page")
    app.mount("/", StaticFiles(directory=folder, html=True), name="page")
    return app
