"""What an indexing run refuses to write over, and the error that says so."""

import os

import pytest

from rag_qa import build_index
from rag_qa.errors import IndexDamagedError, IndexLockedError, IndexMismatchError, PaperIndexError
from rag_qa.index.lock import writing
from rag_qa.index.manifest import OLDEST_SCHEMA, SCHEMA_VERSION
from rag_qa.index.store import Store
from rag_qa.testing import HashingEmbedder


def test_another_embedder_is_an_error(library, world):
    """Another embedder is an error that names both and the command that builds a new index."""
    library.write(world.GAMES)
    library.build()
    with pytest.raises(IndexMismatchError, match=r"'hashing' ≠ 'other'.*rag-qa index SOURCE --index"):
        library.build(embedder=HashingEmbedder(name="other"))


@pytest.mark.parametrize(("version", "age"), [(OLDEST_SCHEMA - 1, "older"), (SCHEMA_VERSION + 1, "newer")])
def test_another_schema_is_an_error(library, world, version, age):
    """An index of an older or newer schema is an error that says which, for readers and writers."""
    library.write(world.GAMES)
    library.build()
    store = Store.create(library.index)
    store.write_manifest(store.manifest().model_copy(update={"schema_version": version}))
    store.close()
    for use in (library.open, library.build):
        with pytest.raises(IndexMismatchError, match=f"of an? {age} rag_qa.*rag-qa index"):
            use()


def test_a_second_writer_gets_an_error(library, world):
    """While one process writes, another one that wants to write gets an error at once."""
    library.write(world.GAMES)
    with writing(library.index), pytest.raises(IndexLockedError, match="wait until it ends"):
        library.build()
    assert library.build().added == 1


def test_index_path_that_is_a_file(library, world):
    """An index path that is a file, or below one, is an error."""
    path = library.write(world.GAMES)
    for index in (path, path / "below"):
        with pytest.raises(PaperIndexError, match="cannot hold an index"):
            build_index([path], index, embedder=library.embedder)
    assert path.read_text().startswith("{")


def test_a_store_that_is_no_database_is_an_error(library, world):
    """A store that is not a database is an error for readers and writers, and is not overwritten."""
    library.write(world.GAMES)
    library.index.mkdir()
    (library.index / "papers.sqlite3").write_bytes(b"not a database, " * 1000)
    for use in (library.open, library.build):
        with pytest.raises(IndexDamagedError, match="rag-qa index"):
            use()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_an_error(library, world):
    """An index folder without write permission is an error."""
    library.write(world.GAMES)
    library.index.mkdir(mode=0o500)
    with pytest.raises(PaperIndexError, match="cannot hold an index"):
        library.build()
