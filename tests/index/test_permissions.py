"""An index is its owner's alone, until the owner shares it."""

import os
import sqlite3
import stat

import pytest

from rag_qa.index.database import FILE_NAME
from rag_qa.index.reader import Index


@pytest.fixture
def umask():
    """A function that sets the umask until the test ends."""
    before = os.umask(0)
    os.umask(before)
    yield os.umask
    os.umask(before)


def modes(folder):
    """The modes of everything in a folder and of itself, as octal text, by kind."""
    paths = [folder, *folder.rglob("*")]
    found = {
        kind: {oct(stat.S_IMODE(path.stat().st_mode)) for path in paths if path.is_dir() == kind}
        for kind in (True, False)
    }
    return found[True], found[False]


PRIVATE = {"0o700"}, {"0o600"}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077], ids=oct)
def test_a_new_index_is_its_owners_alone(mask, umask, library, world):
    """Files have mode 600 and folders 700, whatever the umask; those beside a file that is open have it, too."""
    umask(mask)
    library.write(world.GAMES, world.SOUP)
    library.build()
    index = library.open(graph=True)
    assert (library.index / f"{FILE_NAME}-wal").exists()
    assert modes(library.index) == PRIVATE
    index.close()


def test_a_folder_that_was_there_keeps_its_mode(umask, library, world):
    """A folder that the user made stays as it is; what is written into it is private all the same."""
    umask(0)
    library.index.mkdir(mode=0o755)
    library.write(world.GAMES)
    library.build()
    assert modes(library.index) == ({"0o755", "0o700"}, {"0o600"})


def test_a_shared_index_stays_shared(umask, library, world):
    """After `chmod -R g+rX` each update, and each rebuild, is readable by the group; the group is handed down."""
    umask(0o077)
    library.write(world.GAMES)
    library.build()
    for path in (library.index, *library.index.rglob("*")):
        path.chmod(0o2750 if path.is_dir() else 0o640)
    library.write(world.GAMES, world.SOUP)
    library.build()
    assert modes(library.index) == ({"0o2750"}, {"0o640"})
    for part in (library.index / "derived").rglob("*.npy"):
        part.unlink()
    library.open().close()
    assert modes(library.index) == ({"0o2750"}, {"0o640"})


def said(caplog):
    """What rag_qa itself has logged."""
    return [record for record in caplog.records if record.name.startswith("rag_qa")]


def older(folder):
    """Make an index what an earlier version under the usual umask left: readable by everybody."""
    with sqlite3.connect(folder / FILE_NAME) as db:
        db.execute("PRAGMA application_id = 0")
    db.close()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_an_older_index_becomes_private_once(library, world, caplog):
    """The next writer of an index that others could read closes it, and says so; shared again, it stays shared."""
    library.write(world.GAMES)
    library.build()
    older(library.index)
    library.write(world.GAMES, world.SOUP)
    library.build()
    assert modes(library.index) == ({"0o755", "0o700"}, {"0o600"})
    assert f"chmod -R g+rX {library.index}" in caplog.text
    caplog.clear()
    for path in (library.index, *library.index.rglob("*")):
        path.chmod(0o750 if path.is_dir() else 0o640)
    library.write(world.BEES)
    library.build()
    assert modes(library.index) == ({"0o750"}, {"0o640"})
    assert said(caplog) == []


def test_reading_changes_no_mode(library, world, caplog):
    """An older index that is only searched stays as its owner left it."""
    library.write(world.GAMES)
    library.build()
    older(library.index)
    before = modes(library.index)
    index = Index.open(library.index)
    assert len(list(index.papers())) == 1
    index.close()
    assert modes(library.index) == before
    assert said(caplog) == []


def test_a_link_in_an_index_is_not_followed(library, world, tmp_path):
    """Modes of files elsewhere are never changed, though an index links to them."""
    library.write(world.GAMES)
    library.build()
    older(library.index)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    elsewhere.chmod(0o644)
    (library.index / "derived" / "link").symlink_to(elsewhere)
    library.write(world.GAMES, world.SOUP)
    library.build()
    assert oct(stat.S_IMODE(elsewhere.stat().st_mode)) == "0o644"
