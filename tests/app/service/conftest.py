"""A small index, and services over it on a real socket."""

import json
import threading
from contextlib import contextmanager
from threading import Event, Semaphore

import httpx
import pytest
import uvicorn

from rag_qa import Settings, build_index
from rag_qa.app.service.access import Access
from rag_qa.app.service.app import create_app
from rag_qa.app.service.connections import HurriedProtocol
from rag_qa.app.service.library import Library, Models
from rag_qa.app.service.listening import listen
from rag_qa.app.service.state import State
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder, QueuedGenerator

PAPERS = [
    {
        "id": "eigengame",
        "title": "EigenGame: PCA as a Nash Equilibrium",
        "abstract": "We present principal component analysis as a competitive game [7]. Players own eigenvectors.",
        "authors": ["Ian Gemp", "Brian McWilliams"],
        "year": 2020,
        "venue": "ICLR",
    },
    {
        "id": "hostile",
        "title": "On ![x](http://evil.example/) <img src=x> traps",
        "abstract": "Markup such as ![x](http://evil.example/) and <b>tags</b> is a trap in a competitive game.",
        "year": 2015,
    },
    {
        "id": "dropout",
        "title": "Dropout in deep networks",
        "abstract": "Dropout removes units of a network at random during training and reduces overfitting.",
        "year": 2014,
    },
]


class SteppedGenerator(QueuedGenerator):
    """A generator that writes a piece whenever `steps` is released; `begun` and `closed` say how far it is."""

    def __init__(self, replies):
        super().__init__(replies)
        self.steps, self.begun, self.closed = Semaphore(0), Event(), Event()

    def generate(self, prompt, **options):
        """Yield the next reply, step by step."""
        try:
            self.begun.set()
            for piece in super().generate(prompt, **options):
                self.steps.acquire()
                yield piece
        finally:
            self.closed.set()


class BrokenGenerator(QueuedGenerator):
    """A generator with a bug."""

    def generate(self, prompt, **options):
        """Fail as no generator should."""
        raise LookupError("a private detail")


def build(folder, papers=PAPERS):
    """Build an index in a folder, or bring it up to date."""
    source = folder.with_suffix(".jsonl")
    source.write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    build_index([source], folder, embedder=HashingEmbedder(), prune=True)
    return folder


@pytest.fixture(scope="session")
def stepped():
    """A function that makes a generator which waits before each piece."""
    return SteppedGenerator


@pytest.fixture
def broken():
    """A generator with a bug."""
    return BrokenGenerator()


@pytest.fixture(scope="session")
def build_papers():
    """A function that builds an index of papers in a folder, or brings it up to date, and returns the folder."""
    return build


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A folder with an index of the papers above."""
    return build(tmp_path_factory.mktemp("service") / "games")


@pytest.fixture(scope="session")
def serving():
    """A context manager that serves indexes and gives a client."""
    return served


@contextmanager
def served(*folders, generator=None, token=None, limit=8, **fields):
    """Serve indexes on a free port, and give a client for them; in quotes unless there is a generator."""
    style = "synthesis" if generator else "quote"
    settings = Settings(**{"model": STARTER, "style": style, "min_relevance": 0.0, **fields})
    library = Library(folders, settings, Models(HashingEmbedder(), generator), limit=limit)
    listener = listen("127.0.0.1", 0, token)
    app = create_app(State(library, Access(token)))
    config = uvicorn.Config(app, log_level="warning", http=HurriedProtocol, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        library.close()
        listener.close()


@pytest.fixture(scope="session")
def quoting(built):
    """A client of a service that answers in quotes."""
    with served(built) as client:
        yield client


@pytest.fixture(scope="session")
def events_of():
    """A function that gives the events of a response."""
    return events


def events(response):
    """The events of a stream, as pairs of name and data."""
    blocks = [block for block in response.text.split("\n\n") if block and not block.startswith(":")]
    parts = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
    return [(part["event"], json.loads(part["data"])) for part in parts]
