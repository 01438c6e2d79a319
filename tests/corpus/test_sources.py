"""What users name becomes a list of files."""

import hashlib
import io
import os
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from rag_qa.corpus.sources import expand_sources
from rag_qa.errors import SourceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b.txt",
        "a.txt",
        "deep/c.txt",
        ".hidden/d.txt",
        ".e.txt",
        "index/papers.sqlite3",
        "index/x.bin",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(files: list) -> list[str]:
    return [Path(file.path).name for file in files]


def test_a_folder_is_read_recursively_in_sorted_order(folder):
    """Hidden files and index folders are left out of a folder."""
    assert names(expand_sources([folder])) == ["a.txt", "b.txt", "c.txt"]


def test_named_folders_are_skipped(folder):
    """The index's own folder can be named and is then left out."""
    assert names(expand_sources([folder], skip=[folder / "deep"])) == ["a.txt", "b.txt"]


def test_a_glob_is_expanded(folder):
    """A glob stands for its sorted matches, folders among them."""
    assert names(expand_sources([str(folder / "*")])) == ["a.txt", "b.txt", "c.txt"]


def test_a_file_named_twice_stands_once(folder, monkeypatch):
    """The same file under two names is one source, with an absolute path."""
    monkeypatch.chdir(folder)
    files = expand_sources(["a.txt", folder / "deep" / ".." / "a.txt", "."])
    assert names(files) == ["a.txt", "b.txt", "c.txt"]
    assert files[0].path == str((folder / "a.txt").resolve())


def test_a_digest_is_of_the_raw_bytes(folder):
    """A file's digest is the SHA-256 of its bytes."""
    assert expand_sources([folder / "a.txt"])[0].digest == hashlib.sha256(b"a.txt").hexdigest()


def test_standard_input_is_kept(monkeypatch):
    """ "-" is read once and its content kept."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"Abstract: We test.")))
    (file,) = expand_sources(["-"])
    assert (file.path, file.read_bytes()) == ("-", b"Abstract: We test.")


def test_a_pipe_is_kept(tmp_path):
    """A named pipe, as shells make for <(…), is read once and its content kept."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(b"text",))  # opening a pipe waits for both ends
    writer.start()
    assert expand_sources([pipe])[0].read_bytes() == b"text"
    writer.join()


@pytest.mark.parametrize("source", ["nowhere.txt", "*.nothing", "empty"])
def test_a_source_that_names_nothing_is_an_error(tmp_path, monkeypatch, source):
    """A missing file, a glob without a match and an empty folder are told, with what to do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"check the spelling"):
        expand_sources([source])


def test_a_file_that_vanished_is_an_error(folder):
    """A file that cannot be read any more is told."""
    (file,) = expand_sources([folder / "a.txt"])
    (folder / "a.txt").unlink()
    with pytest.raises(SourceError, match="Cannot read"):
        file.read_bytes()
