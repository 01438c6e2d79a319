"""Vectors in a real Chroma server on this machine."""

import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from rag_qa import Settings, build_index
from rag_qa.errors import PaperIndexError
from rag_qa.index import chroma_server
from rag_qa.index.reader import Index, rebuild_derived
from rag_qa.retrieval.searching import Retriever
from rag_qa.testing import HashingEmbedder

pytestmark = pytest.mark.process
START_S = 60


class Server:
    """A server that can be started and stopped, on a port and a folder that stay the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self.folder)]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with closing(socket.socket()) as tried:
                if not tried.connect_ex(("127.0.0.1", self.port)):
                    return
            time.sleep(0.1)
        raise AssertionError("chroma run did not start")

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def names(self) -> list[str]:
        with chroma_server._client(self.url) as client:
            return sorted(chroma_server._names(client))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A server for all tests of this file."""
    server = Server(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running):
    """The server, running and empty."""
    if not running.process:
        running.start()
    with chroma_server._client(running.url) as client:
        for name in list(chroma_server._names(client)):
            client.delete_collection(name)
    return running


def build(library, server):
    return library.build(settings=Settings(chroma_url=server.url))


def found(index, query):
    return [
        (hit.paper.id, hit.score)
        for hit in Retriever(index, HashingEmbedder(), dense="hnsw").search(query, 5)
    ]


def test_a_server_finds_what_the_index_alone_finds(library, world, server):
    """A search through the server gives the papers and scores of an exact one, and the folder has no graph."""
    library.write(*world.made_up(range(60)))
    build(library, server)
    query = "Of bakeli fengol"
    with closing(Index.open(library.index, graph=True, server=server.url)) as index:
        asked = found(index, query)
        assert len(index.vectors) == index.manifest.counts.passages
        exact = Retriever(index, HashingEmbedder(), dense="exact").search(query, 5)
    assert asked == [(hit.paper.id, hit.score) for hit in exact]
    assert {path.name for path in (library.derived() / "chroma").iterdir()} == {"left-out", "checksums.json"}


def test_an_update_is_atomic(library, world, server):
    """A reader keeps its generation on the server during an update; the one before that is removed."""
    library.write(*world.made_up(range(5)))
    build(library, server)
    with closing(Index.open(library.index, graph=True, server=server.url)) as reader:
        library.write(*world.made_up(range(8)))
        build(library, server)
        assert len(reader.vectors) == reader.manifest.counts.passages == 5
        with closing(Index.open(library.index, graph=True, server=server.url)) as after:
            assert len(after.vectors) == after.manifest.counts.passages == 8
    library.write(*world.made_up(range(9)))
    build(library, server)
    assert [chroma_server.generation_of(name) for name in server.names()] == [2, 3]


def test_an_index_that_exists_is_written_to_a_server(library, world, server):
    """Naming a server for an unchanged index writes its vectors there, once."""
    library.write(*world.made_up(range(5)))
    library.build()
    with pytest.raises(PaperIndexError, match=r"were not written .* --chroma"):
        Index.open(library.index, graph=True, server=server.url)
    build(library, server)
    names = server.names()
    build(library, server)
    assert server.names() == names
    Index.open(library.index, graph=True, server=server.url).close()


def test_an_update_without_the_server_is_told(library, world, server):
    """Vectors of an older generation are not searched."""
    library.write(*world.made_up(range(5)))
    build(library, server)
    library.write(*world.made_up(range(8)))
    library.build()
    with pytest.raises(PaperIndexError, match=r"were not written .* --chroma"):
        Index.open(library.index, graph=True, server=server.url)


def test_a_rebuild_keeps_the_collection(library, world, server):
    """Derived files that are built again, from the same papers, go on with the same collection."""
    library.write(*world.made_up(range(5)))
    build(library, server)
    rebuild_derived(library.index, 1)
    with closing(Index.open(library.index, graph=True, server=server.url)) as index:
        assert index.manifest.generation == 2


def test_a_lost_or_half_written_collection_is_told_and_mended(library, world, server):
    """A collection that is gone, or lacks a row, is told; indexing again mends it."""
    library.write(*world.made_up(range(5)))
    build(library, server)
    with chroma_server._client(server.url) as client:
        collection = client.get_collection(server.names()[0], embedding_function=None)
        collection.delete(ids=collection.get(limit=1)["ids"])
    with pytest.raises(PaperIndexError, match="holds only 4 of the 5"):
        Index.open(library.index, graph=True, server=server.url)
    build(library, server)
    with chroma_server._client(server.url) as client:
        client.delete_collection(server.names()[-1])
    with pytest.raises(PaperIndexError, match="does not hold"):
        Index.open(library.index, graph=True, server=server.url)
    build(library, server)
    Index.open(library.index, graph=True, server=server.url).close()
    assert len(server.names()) == 1


def test_another_index_is_left_alone(library, world, server, tmp_path):
    """Updates of one index remove no collection of another."""
    library.write(*world.made_up(range(5)))
    build(library, server)
    build_index(
        [library.sources],
        tmp_path / "other",
        embedder=HashingEmbedder(),
        settings=Settings(chroma_url=server.url),
    )
    for count in (6, 7):
        library.write(*world.made_up(range(count)))
        build(library, server)
    assert len({name.split("-")[2] for name in server.names()}) == 2


def test_a_server_that_is_gone_is_told(library, world, server):
    """Without the server, searching and indexing fail with its address, the old index stays, and nothing is lost."""
    library.write(*world.made_up(range(5)))
    build(library, server)
    with closing(Index.open(library.index, graph=True, server=server.url)) as index:
        server.stop()
        with pytest.raises(PaperIndexError, match=server.url):
            found(index, "Of bakeli")
    with pytest.raises(PaperIndexError, match=f"{server.url} cannot be used"):
        Index.open(library.index, graph=True, server=server.url)
    library.write(*world.made_up(range(8)))
    with pytest.raises(PaperIndexError, match=f"{server.url} cannot be used"):
        build(library, server)
    assert len(library.ids()) == 5
    server.start()
    build(library, server)
    with closing(Index.open(library.index, graph=True, server=server.url)) as index:
        assert len(index.vectors) == 8


def test_a_killed_writer_leaves_no_collection_for_long(library, world, server, monkeypatch):
    """A run that ends before its commit leaves the old set searchable; the next run removes its collection."""
    library.write(*world.made_up(range(5)))
    build(library, server)
    library.write(*world.made_up(range(8)))
    with monkeypatch.context() as patch:
        patch.setattr("rag_qa.index.store.Store.write_chroma", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(library, server)
    with closing(Index.open(library.index, graph=True, server=server.url)) as index:
        assert len(index.vectors) == 5
    build(library, server)
    assert [chroma_server.generation_of(name) for name in server.names()] == [1, 2]


def test_another_service_is_told(library, world):
    """An address where something else answers is told, and so is one that nothing answers."""
    library.write(*world.made_up(range(2)))
    other = subprocess.Popen(
        [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONUNBUFFERED": "1"},
        text=True,
    )
    try:
        port = other.stdout.readline().split("port ")[1].split()[0]
        with pytest.raises(PaperIndexError, match="cannot be used"):
            library.build(settings=Settings(chroma_url=f"http://127.0.0.1:{port}"))
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    shutil.rmtree(library.index)
    with pytest.raises(PaperIndexError, match="cannot be used"):
        library.build(settings=Settings(chroma_url="http://127.0.0.1:1"))
