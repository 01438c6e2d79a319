"""The clipboard: by a program of the desktop, or by the terminal."""

import base64
import os
import pty
import re
import sys

import pytest

from rag_qa.app.clipboard import LONGEST_SEQUENCE, TERMINAL, copy_text
from rag_qa.errors import ExportError

pytestmark = pytest.mark.process

DISPLAYS = ("WAYLAND_DISPLAY", "DISPLAY", "SSH_CONNECTION")


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    """A machine without a desktop: no program of it on the path, no display."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm")
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def add_program(folder, name, then="exit 0"):
    """Put a program into the folder that writes what it is given into the file `copied` there."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n/bin/cat > {folder}/copied\n{then}\n")
    file.chmod(0o755)
    return folder / "copied"


def in_terminal(text):
    """Copy a text in a child process that has a terminal; return what it said and what the terminal got."""
    child, terminal = pty.fork()
    if child == 0:
        os.write(1, f"<{copy_text(text)}>".encode())
        os._exit(0)
    got = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # its other end is closed
            break
        if not piece:
            break
        got += piece
    os.waitpid(child, 0)
    return got


def test_a_program_of_the_desktop_takes_the_text(bare, monkeypatch):
    """The text goes to the standard input of the program whose display is there, as UTF-8."""
    monkeypatch.setenv("DISPLAY", ":0")
    copied = add_program(bare, "xclip")
    assert copy_text("Nägel\nund Köpfe") == "xclip"
    assert copied.read_text("utf-8") == "Nägel\nund Köpfe"


def test_a_program_without_its_display_is_left_out(bare):
    """Without Wayland, wl-copy is not asked."""
    add_program(bare, "wl-copy")
    copied = add_program(bare, "pbcopy")
    assert copy_text("x") == "pbcopy"
    assert copied.read_text() == "x"


def test_a_program_that_fails_is_not_believed(bare, monkeypatch):
    """If a program ends with an error, the next one takes the text."""
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    add_program(bare, "wl-copy", then="exit 1")
    add_program(bare, "pbcopy")
    assert copy_text("x") == "pbcopy"


def test_windows_gets_its_own_encoding(bare):
    """clip.exe reads UTF-16."""
    copied = add_program(bare, "clip.exe")
    assert copy_text("ß") == "clip.exe"
    assert copied.read_bytes() == "ß".encode("utf-16-le")


def test_controls_are_not_copied(bare):
    """What would act on the terminal that a text is pasted into is left out; line ends stay."""
    copied = add_program(bare, "pbcopy")
    copy_text("a\x1b[31mb\r\nc\x9b2J\u202ed")
    assert copied.read_text("utf-8") == "a[31mb\nc2Jd"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix terminal")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_terminal_takes_the_text():
    """Without a program, the terminal gets the text as OSC 52."""
    got = in_terminal("Nägel \x1b]52;c;eA==\x07 und Köpfe")
    assert f"<{TERMINAL}>".encode() in got
    (copied,) = re.findall(rb"\x1b\]52;c;([^\x07]*)\x07", got)
    assert base64.b64decode(copied).decode() == "Nägel ]52;c;eA== und Köpfe"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_over_ssh_the_terminal_comes_first(bare, monkeypatch):
    """A program on the far machine would fill a clipboard that nobody sees."""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    add_program(bare, "pbcopy")
    assert f"<{TERMINAL}>".encode() in in_terminal("x")


def test_a_text_too_long_for_the_terminal_is_an_error(monkeypatch):
    """A text too long for a terminal is not sent, and the error says what to do."""
    with pytest.raises(ExportError, match="--export FILE"):
        copy_text("x" * LONGEST_SEQUENCE)
