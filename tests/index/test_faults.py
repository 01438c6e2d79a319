"""Faults from outside: use after close, a folder removed, other programs' files, no room. All are told."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from rag_qa import Assistant, Settings
from rag_qa.backends import forks
from rag_qa.errors import BackendError, IndexDamagedError, IndexNotFoundError, PaperIndexError
from rag_qa.index import derived
from rag_qa.index.checksums import open_array, read_array, read_json
from rag_qa.index.database import FILE_NAME
from rag_qa.index.health import examine
from rag_qa.testing import HashingEmbedder

# Updates an index with a limit on the size of files; ends well if that is done, or told as no damage.
LIMITED = """
import resource, signal, sys
from rag_qa.errors import IndexDamagedError, PaperIndexError
from rag_qa.index.builder import build_index
from rag_qa.testing import HashingEmbedder

source, index, size = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
try:
    build_index([source], index, embedder=HashingEmbedder())
except IndexDamagedError:
    raise
except PaperIndexError:
    pass
"""
USES = {
    "search": lambda assistant: assistant.search("soup"),
    "ask": lambda assistant: assistant.ask("How should soup be salted?"),
    "paper": lambda assistant: assistant.paper("soup"),
    "papers": lambda assistant: list(assistant.papers()),
    "similar": lambda assistant: assistant.similar("soup"),
}
# What a file may have lost, as statements of SQL.
LOSSES = {
    "no version": "DELETE FROM meta WHERE key = 'schema_version'",
    "no manifest": "DELETE FROM meta WHERE key = 'manifest'",
    "version of another kind": "UPDATE meta SET value = 'x' WHERE key = 'schema_version'",
    "empty manifest": "UPDATE meta SET value = '{}' WHERE key = 'manifest'",
    "no table of passages": "DROP TABLE passages",
    "no table of vectors": "DROP TABLE vectors",
    "short vectors": "UPDATE vectors SET vector = substr(vector, 1, 64)",
    "odd vectors": "UPDATE vectors SET vector = x'0011'",
    "vectors of text": "UPDATE vectors SET vector = 'text'",
    "no vectors": "DELETE FROM vectors",
    "no passages": "DELETE FROM passages",
    "no papers": "DELETE FROM papers",
    "passages of no paper": "UPDATE passages SET paper_id = 'zzz'",
}


@pytest.fixture
def built(library, world):
    """A library with an index of three papers."""
    library.write(world.GAMES, world.SOUP, world.BEES)
    library.build()
    return library


def opened(library, dense="exact"):
    settings = Settings(style="quote", dense=dense)
    return Assistant.open(library.index, settings=settings, embedder=HashingEmbedder())


def run_sql(path, *statements):
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


@pytest.mark.parametrize("dense", ["exact", "hnsw"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_use_after_close_is_told(built, use, dense):
    """A closed assistant says that it is closed, not that the index is damaged."""
    with opened(built, dense) as assistant:
        pass
    with pytest.raises(PaperIndexError, match=r"open (it|the index) again") as told:
        use(assistant)
    assert not isinstance(told.value, IndexDamagedError)


@pytest.mark.parametrize("use", ["search", "ask"])
def test_a_folder_removed_while_open_is_told(built, use):
    """An index whose folder was removed while it was open says that it is gone."""
    with opened(built) as assistant:
        shutil.rmtree(built.index)
        with pytest.raises(PaperIndexError, match="open it again"):
            USES[use](assistant)


@pytest.mark.parametrize("statement", ["CREATE TABLE other (a)", "CREATE TABLE meta (a)"])
def test_a_file_of_something_else_is_told_and_left_alone(library, world, statement):
    """Another program's SQLite file under our name is named in the error, and nothing is written into it."""
    library.index.mkdir()
    library.write(world.GAMES)
    run_sql(library.index / FILE_NAME, statement)
    before = (library.index / FILE_NAME).read_bytes()
    for use in (library.open, library.build):
        with pytest.raises(IndexDamagedError, match="name another folder with --index"):
            use()
    assert (library.index / FILE_NAME).read_bytes() == before
    assert "no index of papers" in examine(library.index).problems[0]


def test_a_folder_in_place_of_the_file_is_told(built):
    """A folder that is called like the file is an error of ours for readers and writers."""
    (built.index / FILE_NAME).unlink()
    (built.index / FILE_NAME).mkdir()
    for use in (built.open, built.build):
        with pytest.raises(PaperIndexError, match="cannot be used"):
            use()


@pytest.mark.parametrize("statement", LOSSES.values(), ids=LOSSES)
def test_losses_are_told_when_derived_files_are_built(built, statement):
    """Whatever the file has lost, building derived files from it is an error that names it."""
    run_sql(built.index / FILE_NAME, statement)
    shutil.rmtree(built.index / "derived")
    with pytest.raises(IndexDamagedError, match=r"papers\.sqlite3"):
        built.open()


def test_an_empty_description_is_no_index(built):
    """A file without any description is told as an unfinished index."""
    run_sql(built.index / FILE_NAME, "DELETE FROM meta")
    with pytest.raises(IndexNotFoundError):
        built.open()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"[" * 100_000, b"\xff{"])
@pytest.mark.parametrize("load", [open_array, read_array, read_json])
def test_a_derived_file_that_cannot_be_read_is_told(tmp_path, load, content):
    """A derived file that is empty, cut off, nested too deep or not UTF-8 is named, with the command that helps."""
    path = tmp_path / "derived" / "3" / "lexical" / "file"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(IndexDamagedError, match=f"lexical/file.*doctor --repair --index {tmp_path}"):
        load(path.parent, path.name)


def test_a_stamp_nested_too_deep_is_damage(built):
    """A stamp that no parser can read is built again with the rest."""
    (built.derived() / "stamp.json").write_text("[" * 100_000)
    built.open().close()
    assert built.derived().name == "2"


@pytest.mark.parametrize("shift", [-1e9, 1e9])
def test_a_clock_that_jumps_is_no_damage(built, world, shift):
    """Files with times in the past or the future are taken as they are, and updates go on."""
    for path in built.index.rglob("*"):
        os.utime(path, (path.stat().st_atime + shift, path.stat().st_mtime + shift))
    assert built.ids() == ["bees", "games", "soup"]
    assert built.derived().name == "1"
    built.write(world.GAMES, world.SOUP, world.BEES, *world.made_up([1]))
    os.utime(built.sources / "papers.jsonl", (1e9 + shift, 1e9 + shift))
    assert built.build().added == 1


def test_a_moved_index_opens(built, world):
    """An index under another name opens as it is, and is updated there."""
    built.index = built.index.rename(built.root / "moved")
    assert built.ids() == ["bees", "games", "soup"]
    built.write(world.GAMES, world.SOUP, world.BEES, *world.made_up([1]))
    assert built.build().added == 1


@pytest.mark.parametrize(
    "part", ["build_vectors", "update_lexical", "build_pairs", "update_facets", "_stamp"]
)
def test_no_room_for_derived_files_is_told(built, world, monkeypatch, part):
    """If the disk is full while a derived file is written, the error says so, the old index stays, nothing is left."""
    built.write(world.GAMES, world.SOUP, world.BEES, *world.made_up(range(9)))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(derived, part, full)
        with pytest.raises(PaperIndexError, match="free some space") as told:
            built.build()
    assert not isinstance(told.value, IndexDamagedError)
    assert built.ids() == ["bees", "games", "soup"]
    assert [folder.name for folder in (built.index / "derived").iterdir()] == ["1"]
    assert (built.build().added, built.build().unchanged) == (9, 12)


@pytest.mark.process
@pytest.mark.parametrize("size", [0, 20_000, 60_000, 200_000, 1_000_000])
def test_files_that_may_not_grow_are_told(built, world, size):
    """With a limit on the size of files an update is told, never a traceback or damage, and then goes on."""
    built.write(world.GAMES, world.SOUP, world.BEES, *world.made_up(range(300)))
    command = [sys.executable, "-c", LIMITED, str(built.sources), str(built.index), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert built.build().papers == 303


@pytest.mark.process
def test_a_forked_process_is_told(monkeypatch):
    """A process forked after a library with threads was used gets an error, not a hang; one forked before does not."""
    monkeypatch.setattr(forks, "_first_used", {})
    assert _in_fork(lambda: forks.refuse_after_fork("torch")) == 0
    forks.refuse_after_fork("torch")
    assert _in_fork(lambda: forks.refuse_after_fork("torch")) == 1
    forks.refuse_after_fork("torch")


@pytest.mark.process
def test_indexing_in_a_fork_is_told(built, world):
    """A process forked after indexing may search the index exactly; indexing in it is told to start elsewhere."""
    built.write(world.GAMES)
    assert _in_fork(lambda: built.build(prune=True)) == 1
    assert _in_fork(lambda: opened(built).search("soup")) == 0
    assert built.build(prune=True).papers == 1


def _in_fork(action) -> int:
    """Return 0 if an action in a forked process ends, 1 if it is told that it cannot."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            action()
        except BackendError:
            os._exit(1)
        except BaseException:
            os._exit(3)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
