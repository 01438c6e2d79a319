"""The ASGI application of a service: routes, errors, and the page's files."""

from importlib.resources import files

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from rag_qa.app.service.bodies import Health
from rag_qa.app.service.problems import handle_errors
from rag_qa.app.service.routes import router
from rag_qa.app.service.state import State
from rag_qa.version import __version__


def create_app(state: State) -> FastAPI:
    """Return the application over a library."""
    app = FastAPI(
        title="rag_qa",
        version=__version__,
        summary="Questions to scientific abstracts; every sentence of an answer cites a verbatim quote.",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = state
    handle_errors(app)
    app.include_router(router)
    app.add_api_route("/healthz", _health, summary="Whether the service is up", response_model=Health)
    folder = str(files("rag_qa") / "app" / "service" / "page")
    page = StaticFiles(directory=folder, html=True, check_dir=False)
    app.mount("/", page, name="page")
    return app


async def _health() -> Health:
    return Health(version=__version__)
