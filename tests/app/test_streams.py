"""Standard streams that are narrow, closed or full end no answer and show no traceback."""

import codecs
import errno
import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.app import cli
from rag_qa.app.streams import READABLE, prepare_streams, print_json


@pytest.fixture(autouse=True)
def prepared():
    prepare_streams()


@pytest.fixture
def narrow(monkeypatch):
    """A function that makes standard output one of an encoding, and returns the bytes written to it."""

    def make(encoding):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, write_through=True))
        return raw.getvalue

    return make


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“We’ve” – yes…", '"We\'ve" - yes...'),
        ("Gödel, Erdős, Łoś, Strauß, Ångström, Ørsted", "Godel, Erdos, Los, Strauss, Angstrom, Orsted"),
        ("CO₂ at 5 µm, p ≤ .05, ± 2 × 3", "CO2 at 5 mum, p <= .05, +- 2 x 3"),
        ("β-amyloid ﬁnds", "beta-amyloid finds"),
        ("图 чай 🙂", "? ??? ?"),
        ("soft\u00adhyphen, E\u0301", "softhyphen, E"),
    ],
)
def test_ascii_reads_as_near_as_can_be(text, plain):
    """What ASCII cannot hold is written as its like, Greek letters by name, and the rest as question marks."""
    assert text.encode("ascii", READABLE).decode("ascii") == plain


def test_what_a_stream_can_hold_stays():
    """An encoding that knows a letter keeps it."""
    assert "é – ч".encode("latin-1", READABLE) == b"\xe9 - ?"
    assert "é – ч".encode("cp1252", READABLE) == b"\xe9 \x96 ?"


@given(st.text(), st.sampled_from(["ascii", "latin-1", "cp1251", "cp437", "gb2312"]))
def test_any_text_can_be_written(text, encoding):
    """No text fails in any encoding, lone surrogates among them."""
    assert codecs.encode(text, encoding, READABLE).decode(encoding) is not None


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1251", "utf-8", "utf-16"])
def test_json_keeps_its_text(narrow, encoding):
    """JSON holds the same text on any stream, escaped where the stream is too narrow."""
    value = {"title": "чай 图 🙂 é “x”", "at": "\u2028"}
    written = narrow(encoding)
    print_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(written().decode(encoding)) == value


def test_json_of_a_wide_stream_is_not_escaped(narrow):
    """A text that the stream can encode is written unchanged."""
    written = narrow("utf-8")
    print_json('"чай"')
    assert written().decode() == '"чай"\n'


class Failing(io.StringIO):
    """A standard output on which nothing can be written."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def fileno(self):
        return 0

    def flush(self):
        raise OSError(self.number, "No space left on device")


@pytest.mark.parametrize("arguments", [["--version"], ["models", "list"], ["doctor", "--help"]])
def test_a_full_disk_is_reported_in_a_line(monkeypatch, capsys, arguments):
    """If standard output takes nothing more, one line says so, and the status is 1."""
    monkeypatch.setattr(sys, "argv", ["rag-qa", *arguments])
    monkeypatch.setattr(sys, "stdout", Failing(errno.ENOSPC))
    monkeypatch.setattr("os.dup2", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("rag-qa: cannot write standard output")


def test_a_closed_pipe_is_silent(monkeypatch, capsys):
    """If the reader is gone, as with `| head`, nothing is printed, and the status is 1."""
    monkeypatch.setattr(sys, "argv", ["rag-qa", "--version"])
    monkeypatch.setattr(sys, "stdout", Failing(errno.EPIPE))
    monkeypatch.setattr("os.dup2", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code, capsys.readouterr().err) == (1, "")


def test_a_closed_output_ends_nothing(monkeypatch):
    """A program started without a standard output runs all the same."""
    monkeypatch.setattr(sys, "argv", ["rag-qa", "--version"])
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
