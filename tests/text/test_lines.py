import gzip
from pathlib import Path

import pytest

from rag_qa.errors import EvaluationError, SourceError
from rag_qa.text.lines import read_json_lines, read_lines, unzip

TEXT = b'\xef\xbb\xbf{"a": 1}\r\n\n{"b": "\xc3\xa9"}'
RECORDS = [(1, {"a": 1}), (3, {"b": "é"})]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_records_are_numbered_by_line_however_the_file_is_packed_or_named(
    tmp_path: Path, name: str, packed: bool
) -> None:
    """Blank lines count but give nothing, the byte order mark goes, and gzip is known by content."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(TEXT) if packed else TEXT)
    assert list(read_json_lines(path, EvaluationError)) == RECORDS


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "line 1: not JSON"),
        (b'{"a": 1}\n\n[1]', "line 3: not a JSON object"),
        (b"\xff\xfe", "cannot be read"),
        (gzip.compress(TEXT, mtime=0)[:-9], "cannot be read"),
    ],
)
def test_a_bad_line_is_an_error_that_names_it(tmp_path: Path, content: bytes, problem: str) -> None:
    """A line that is not a JSON object, not UTF-8 or damaged gzip raises the caller's error, naming file and line."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=rf"rows\.jsonl.*{problem}"):
        list(read_json_lines(path, SourceError))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A file that is not there raises the caller's error instead of FileNotFoundError."""
    with pytest.raises(EvaluationError, match="nothing cannot be read"):
        list(read_lines(tmp_path / "nothing", EvaluationError))


def test_only_gzip_is_unzipped() -> None:
    """Other bytes come back as they are; a cut-off gzip file is a ValueError."""
    packed = gzip.compress(b"knitting")
    assert unzip(packed) == unzip(b"knitting") == b"knitting"
    with pytest.raises(ValueError, match="damaged gzip"):
        unzip(packed[:-5])
