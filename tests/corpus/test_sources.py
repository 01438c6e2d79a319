"""What users name becomes a list of files."""

import hashlib
import io
import os
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from rag_qa.corpus.sources import expand_sources, source_exists
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
    """A glob gives its sorted matches, folders included."""
    assert names(expand_sources([str(folder / "*")])) == ["a.txt", "b.txt", "c.txt"]


def test_a_file_named_twice_is_read_once(folder, monkeypatch):
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
    """A missing file, a glob without a match and an empty folder are errors that say what to do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"check the spelling"):
        expand_sources([source])


def test_a_file_that_vanished_is_an_error(folder):
    """A file that can no longer be read is an error."""
    (file,) = expand_sources([folder / "a.txt"])
    (folder / "a.txt").unlink()
    with pytest.raises(SourceError, match="Cannot read"):
        file.read_bytes()


def test_linked_folders_are_followed_once(tmp_path):
    """A folder reached by two links, and by itself, is read once; its files stand under their real paths."""
    papers, elsewhere = tmp_path / "papers", tmp_path / "elsewhere"
    papers.mkdir()
    elsewhere.mkdir()
    (elsewhere / "b.bib").write_text("b")
    (papers / "a.bib").write_text("a")
    (papers / "first").symlink_to(elsewhere)
    (papers / "second").symlink_to("../elsewhere")
    assert [file.path for file in expand_sources([papers])] == [
        str(elsewhere / "b.bib"),
        str(papers / "a.bib"),
    ]
    (papers / "a.bib").unlink()
    assert names(expand_sources([papers])) == names(expand_sources([str(papers / "*")])) == ["b.bib"]


@pytest.mark.parametrize("target", [".", "..", "../..", "/", "deep", "../papers"])
def test_links_in_a_circle_are_harmless(tmp_path, target):
    """A link back into a folder around it, or beside it, adds nothing and ends nothing."""
    deep = tmp_path / "papers" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "private.txt").write_text("not named")
    (deep / "a.bib").write_text("a")
    (tmp_path / "papers" / "circle").symlink_to(target)
    (deep / "up").symlink_to("..")
    assert names(expand_sources([tmp_path / "papers"])) == ["a.bib"]


def test_two_folders_that_link_to_each_other(tmp_path):
    """Folders that link to each other are each read once."""
    for here, there in (("one", "two"), ("two", "one")):
        (tmp_path / here).mkdir()
        (tmp_path / here / f"{here}.bib").write_text(here)
        (tmp_path / here / "other").symlink_to(tmp_path / there)
    assert sorted(names(expand_sources([tmp_path / "one"]))) == ["one.bib", "two.bib"]
    assert sorted(names(expand_sources([tmp_path]))) == ["one.bib", "two.bib"]


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    """A broken link in a folder is a file with a problem, and costs no other file."""
    (tmp_path / "a.bib").write_text("a")
    (tmp_path / "gone.bib").symlink_to("nowhere")
    (tmp_path / "self.bib").symlink_to("self.bib")
    good, *broken = expand_sources([tmp_path])
    assert (good.problem, names(broken)) == (None, ["gone.bib", "self.bib"])
    assert all("Cannot read" in (file.problem or "") for file in broken)


def test_a_name_that_is_no_utf8(tmp_path):
    """A file whose name is not UTF-8 is read and shown with the number of the byte, also if it is named itself."""
    name = os.fsdecode(b"caf\xe9 \\x41.txt")
    (tmp_path / name).write_text("warm")
    for source in (tmp_path, tmp_path / name, str(tmp_path / "caf*")):
        (file,) = expand_sources([source])
        assert file.path == str(tmp_path / "caf\\xe9 \\x41.txt")
        assert file.read_bytes() == b"warm"
        assert source_exists(file.path)
    (tmp_path / name).unlink()
    assert not source_exists(file.path)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[2020] refs", ["a.bib", "b.txt"]),
        ("[2020] refs/*.bib", ["a.bib"]),
        ("*/[2020] refs/*.bib", []),
        ("[2020] refs/[a].bib", ["a.bib"]),
        ("[[]2020[]] refs/*.bib", ["a.bib"]),
        ("2 refs/c[1].bib", ["c[1].bib"]),
        ("2 refs/c[12].bib", ["c1.bib"]),
        ("[123] refs/c*", ["c1.bib", "c[1].bib"]),
        ("2 refs/what?.bib", ["what?.bib"]),
    ],
)
def test_brackets_are_first_taken_for_those_of_a_name(tmp_path, monkeypatch, pattern, found):
    """A folder or a file with brackets in its name is found by that name, by itself and in a glob."""
    monkeypatch.chdir(tmp_path)
    files = ("[2020] refs/a.bib", "[2020] refs/b.txt", "2 refs/c1.bib", "2 refs/c[1].bib", "2 refs/what?.bib")
    for name in files:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(name)
    if found:
        assert names(expand_sources([pattern])) == found
    else:
        with pytest.raises(SourceError):
            expand_sources([pattern])


def test_a_tilde_may_begin_a_name(tmp_path, monkeypatch):
    """A name with ~ that is not a user's home is a file name; a missing one is an error."""
    monkeypatch.chdir(tmp_path)
    Path("~$draft.txt").write_text("x")
    assert names(expand_sources(["~$draft.txt"])) == ["~$draft.txt"]
    with pytest.raises(SourceError, match="There is no file"):
        expand_sources(["~nobody-of-this-name/x.bib"])


def test_closed_standard_input_is_told(monkeypatch):
    """Without a standard input, "-" is an error."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(SourceError, match="closed"):
        expand_sources(["-"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_what_may_not_be_read(tmp_path):
    """An unreadable file or folder does not stop the others of its folder; named itself, it is an error."""
    (tmp_path / "a.bib").write_text("a")
    (tmp_path / "b.bib").write_text("b")
    (tmp_path / "b.bib").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    files = expand_sources([tmp_path])
    assert [(Path(file.path).name, file.problem is None) for file in files] == [
        ("a.bib", True),
        ("b.bib", False),
        ("closed", False),
    ]
    for name in ("b.bib", "closed/c.bib"):
        with pytest.raises(SourceError, match="Cannot read"):
            expand_sources([tmp_path / name])
    (tmp_path / "closed").chmod(0o700)
