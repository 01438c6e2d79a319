"""An index in a folder that cannot be written to is read as any other."""

import os
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from rag_qa.errors import PaperIndexError
from rag_qa.index.database import FILE_NAME
from rag_qa.index.health import examine
from rag_qa.index.reader import Index
from rag_qa.index.store import Store

NOBODY = 65534
ODD = "index #1 ?é"


@pytest.fixture
def read_only(library, world):
    """A folder with an index of two papers, and a function that makes it read-only and this process nobody's."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.open(graph=True).close()  # what is imported on the way is there before the rights have gone
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    shutil.copytree(library.index, folder / ODD)

    def close(index=folder / ODD):
        for path in (*index.rglob("*"), index):
            path.chmod(0o555 if path.is_dir() else 0o444)
        if os.geteuid() == 0:
            os.setresuid(NOBODY, NOBODY, 0)
        return index

    yield SimpleNamespace(index=folder / ODD, close=close)
    if os.getresuid()[2] == 0:
        os.setresuid(0, 0, 0)
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("graph", [False, True])
def test_papers_vectors_and_graph_are_read(read_only, graph):
    """Papers, exact vectors and Chroma's graph are found without a file being written."""
    folder = read_only.close()
    before = sorted(folder.rglob("*"))
    index = Index.open(folder, graph=graph)
    assert [paper.id for paper in index.papers()] == ["games", "soup"]
    _, vectors = index.passage_vectors(["games"])
    assert index.vectors.search(vectors[0], 1)[1][0] > 0.99
    index.close()
    assert sorted(folder.rglob("*")) == before


def test_it_is_healthy(read_only):
    """The check of an index finds nothing wrong with it."""
    assert examine(read_only.close()).ok


def test_what_a_writer_left_in_its_log_is_read(read_only, library, world):
    """A snapshot taken beside a writer is read with what stands only in its log."""
    library.write(world.GAMES, world.SOUP, world.BEES)
    library.build()
    writer, reader = Store.create(library.index), Store.open(library.index)
    with writer.transaction():
        writer.delete_papers(["bees"])
    snapshot = read_only.index.with_name("snapshot")
    snapshot.mkdir()
    for ending in ("", "-wal"):
        shutil.copy(library.index / f"{FILE_NAME}{ending}", snapshot)
    writer.close()
    reader.close()
    store = Store.open(read_only.close(snapshot))
    assert store.paper_ids() == {"games", "soup"}
    store.close()


def test_an_update_under_a_reader_without_locks_is_told(read_only):
    """A reader that could not lock the file, because the folder is read-only, says so if somebody else changes it."""
    index = Index.open(read_only.close())
    assert len(list(index.papers())) == 2
    if os.getresuid()[2] == 0:
        os.setresuid(0, 0, 0)
    os.utime(read_only.index / FILE_NAME, (1e9, 1e9))
    with pytest.raises(PaperIndexError, match="updated while it was read; open it again"):
        list(index.papers())
    index.close()


@pytest.mark.parametrize("graph", [False, True])
def test_what_an_older_version_built_is_built_again_elsewhere(read_only, graph):
    """Derived files of another version are built in a temporary folder, which goes with the index."""
    shutil.rmtree(read_only.index / "derived" / "1" / "lexical")
    folder = read_only.close()
    before = sorted(folder.rglob("*")), set(Path(tempfile.gettempdir()).glob("rag-qa-*"))
    index = Index.open(folder, graph=graph)
    assert len(index.lexical.papers_with_all("game")) == 1
    _, vectors = index.passage_vectors(["games"])
    assert index.exact.vectors.shape == (2, vectors.shape[1])
    if graph:
        assert index.vectors.search(vectors[0], 1)[1][0] > 0.99
    index.close()
    assert (sorted(folder.rglob("*")), set(Path(tempfile.gettempdir()).glob("rag-qa-*"))) == before


def test_damage_is_told_with_the_way_out(read_only, monkeypatch):
    """Where something has to be mended and there is no temporary folder either, a copy is advised."""
    shutil.rmtree(read_only.index / "derived" / "1" / "lexical")
    folder = read_only.close()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with pytest.raises(PaperIndexError, match=r"copy it \(cp -r"):
        Index.open(folder)
