"""Vectors of passages in a Chroma server, which several machines can ask; written from the store.

Each generation has a collection of its own, with a name of three parts: the id of the index, the generation and a
random part. It is written before the update is committed, and its name is committed with it. So a reader finds the
collection of the papers that it reads, also if a writer was killed. SQLite stays the truth: a lost collection is
written again by `rag-qa index --chroma URL`.

No text goes to the server, and no title: only ids, vectors, years and venues. The address comes from settings alone.
"""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from rag_qa.backends.home import some_home
from rag_qa.errors import PaperIndexError
from rag_qa.index.vectors import BATCH, SEARCH_DEPTH, ChromaRow, columns
from rag_qa.protocols import Matrix

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

PREFIX = "rag-qa"
COMPLETE, PASSAGES = "complete", "passages"
# Seconds that a request may take: a server may need a while to build its graph.
TIMEOUT_S, CONNECT_S = 120, 10
PAGE = 500
# How far the server looks beyond the nearest neighbours that it knows.
CONFIGURATION: Any = {"hnsw": {"space": "cosine", "ef_construction": 100, "ef_search": SEARCH_DEPTH}}


def new_index_id() -> str:
    """Return an id for an index that has none."""
    return uuid.uuid4().hex[:16]


def generation_of(name: str) -> int:
    """Return the generation that a collection was written for."""
    return int(name.split("-")[-2])


def write_collection(url: str, index_id: str, generation: int, rows: Iterator[ChromaRow], count: int) -> str:
    """Write `count` rows into a new collection, and return its name.

    Raises PaperIndexError if the server does not answer, is of another version, or has not stored every row.
    """
    name = f"{PREFIX}-{index_id}-{generation}-{uuid.uuid4().hex[:8]}"
    with _client(url) as client, _translated_errors(url):
        collection = client.create_collection(
            name, embedding_function=None, configuration=CONFIGURATION, metadata={COMPLETE: False}
        )
        size = min(BATCH, client.get_max_batch_size())
        while batch := list(islice(rows, size)):
            collection.add(**columns([_without_title(row) for row in batch]))
        stored = collection.count()
        if stored != count:
            raise PaperIndexError(
                f"the Chroma server at {url} stored {stored} of {count} passages; see whether its disk is full, and "
                f"run `rag-qa index --chroma {url}` again"
            )
        collection.modify(metadata={COMPLETE: True, PASSAGES: count})
    return name


def _without_title(row: ChromaRow) -> ChromaRow:
    return row._replace(metadata={name: value for name, value in row.metadata.items() if name != "title"})


def is_complete(url: str, name: str, count: int) -> bool:
    """Return whether the server has a collection of that name with all of `count` passages."""
    with _client(url) as client, _translated_errors(url):
        return _problem(client, name, count) is None


def drop_collections(url: str, index_id: str, current: str) -> None:
    """Remove the collections of an index that no reader needs: not the current one, and not the generation before."""
    keep = generation_of(current) - 1
    with _client(url) as client, _translated_errors(url):
        for name in list(_names(client)):
            own = name.startswith(f"{PREFIX}-{index_id}-")
            if own and name != current and generation_of(name) != keep:
                client.delete_collection(name)


class ServerVectors:
    """An opened collection of a server; it searches like `Vectors`.

    Raises PaperIndexError if the server does not answer or does not hold the whole collection.
    """

    def __init__(self, url: str, name: str, count: int) -> None:
        self._url = url
        with ExitStack() as files:
            client = files.enter_context(_client(url))
            with _translated_errors(url):
                problem = _problem(client, name, count)
                if problem:
                    raise PaperIndexError(
                        f"the Chroma server at {url} {problem}; write it again with "
                        f"`rag-qa index SOURCE --chroma {url}`"
                    )
                self._collection = client.get_collection(name, embedding_function=None)
            self._files = files.pop_all()

    def close(self) -> None:
        """Close the connection."""
        self._files.close()

    def __len__(self) -> int:
        with _translated_errors(self._url):
            return self._collection.count()

    def search(self, vector: Matrix, k: int) -> tuple[list[str], np.ndarray]:
        """Return the ids of the k nearest passages, best first, and their cosines, shape (k,) or less.

        `vector` has shape (d,). The search is approximate.
        """
        with _translated_errors(self._url):
            found = self._collection.query(
                query_embeddings=vector[np.newaxis], n_results=k, include=["distances"]
            )
        distances = found["distances"] or [[]]
        return found["ids"][0], 1 - np.asarray(distances[0], dtype=np.float32)


def _problem(client: "ClientAPI", name: str, count: int) -> str | None:
    """Return what is wrong with a collection; None if it is whole."""
    from chromadb.errors import NotFoundError

    try:
        collection = client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return "does not hold the vectors of this index"
    stored = collection.count()
    if not (collection.metadata or {}).get(COMPLETE) or stored != count:
        return f"holds only {stored} of the {count} vectors of this index"
    return None


def _names(client: "ClientAPI") -> Iterator[str]:
    """Yield the names of all collections of a server."""
    start = 0
    while page := client.list_collections(limit=PAGE, offset=start):
        yield from (collection.name for collection in page)
        start += PAGE


@contextmanager
def _client(url: str) -> Iterator["ClientAPI"]:
    with some_home():
        import chromadb
        import httpx
        from chromadb.config import Settings

    at = urlsplit(url)
    secure = at.scheme == "https"
    host = f"[{at.hostname}]" if ":" in (at.hostname or "") else str(at.hostname)
    with _translated_errors(url):
        # A client that fails to connect would leave its connection open, so this asks first.
        httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=CONNECT_S).raise_for_status()
        settings = Settings(_env_file=None, anonymized_telemetry=False)
        port = at.port or (443 if secure else 8000)
        client = chromadb.HttpClient(host=host, port=port, ssl=secure, settings=settings)
    # Chroma itself would wait for ever, and leave its connections open.
    parts: Any = client
    sessions: list[httpx.Client] = [parts._server._session, parts._admin_client._server._session]
    for session in sessions:
        session.timeout = httpx.Timeout(TIMEOUT_S, connect=CONNECT_S)
    try:
        yield client
    finally:
        parts.close()
        for session in sessions:
            session.close()


@contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Raise Chroma's errors and those of the connection as PaperIndexError."""
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError) as exc:
        reason = " ".join(str(exc).split())[:200]
        raise PaperIndexError(
            f"the Chroma server at {url} cannot be used ({reason}); see whether it runs and is of version 1 "
            "(`chroma run --path FOLDER --port PORT` starts one), or leave out --chroma"
        ) from exc
