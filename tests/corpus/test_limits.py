"""Sizes and depth: what is over a limit is skipped with the reason, and the rest of the file is read."""

import gzip
import io
import json
import os
import threading

import pytest

from rag_qa.corpus.limits import DEFAULT, Limits, size_of
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import SourceFile, expand_sources

GOOD = {"title": "Knitting", "abstract": "We knit wool and linen."}


def read(content, limits=DEFAULT, format=None):
    return read_source(SourceFile(path="-", digest="", content=content), format, limits)


def read_lines(*records, limits=DEFAULT):
    return read("\n".join(json.dumps(record) for record in records).encode(), limits)


def nested(depth, value="We knit wool."):
    for _ in range(depth):
        value = {"value": value}
    return value


@pytest.mark.parametrize(
    "field", ["abstract", "title", "venue", "authors", "year", "doi", "url", "id", "keywords"]
)
@pytest.mark.parametrize("depth", [100, 500, 900])
def test_a_record_nested_too_deep_is_skipped_alone(field, depth):
    """A value nested hundreds of levels deep costs its own record only, and the reason says how deep."""
    reading = read_lines(
        GOOD, GOOD | {"abstract": "We spin flax."} | {field: nested(depth)}, GOOD | {"id": "c"}
    )
    assert [paper.title for paper in reading.papers] == ["Knitting", "Knitting"]
    (skip,) = reading.skipped
    assert skip.record == 2
    assert f"nested {depth + 1} deep" in skip.reason


def test_usual_nesting_is_read():
    """Values as deep as web APIs nest them are read."""
    assert read_lines(GOOD | {"abstract": nested(8)}).papers[0].abstract == "We knit wool."


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("abstract", "We knit. " * 30_000, "an abstract of 270,000 characters, more than 200,000"),
        ("title", "Knitting " * 30_000, "a title of 270,000 characters"),
        ("venue", "Wool " * 60_000, "a venue of 300,000 characters"),
        ("authors", "Lou Mug; " * 300_000, "authors of 2,700,000 characters"),
        ("full", "We knit. " * 1_200_000, "a record of 10,80"),
    ],
)
def test_a_record_with_too_large_a_field_is_skipped_alone(field, value, reason):
    """A field over its limit costs its own record only, and the reason names the field, its size and the limit."""
    reading = read_lines(GOOD, GOOD | {field: value}, GOOD | {"id": "c"})
    assert len(reading.papers) == 2
    assert [skip.record for skip in reading.skipped] == [2]
    assert reason in reading.skipped[0].reason


def test_a_record_with_too_many_authors_is_skipped_alone():
    """A list of authors over its limit costs its own record only."""
    many = [f"Lou Mug{'x' * n}" for n in range(120)]
    reading = read_lines(GOOD, GOOD | {"authors": many}, limits=Limits(authors=100, field_characters=500))
    assert [paper.authors for paper in reading.papers] == [()]
    assert "120 authors, more than 100" in reading.skipped[0].reason


def test_a_large_field_that_is_not_used_does_no_harm():
    """A full text beside an abstract, and remarks that are not read, are no reason to skip a record."""
    text = "We knit a long scarf. " * 20_000
    assert len(read_lines(GOOD | {"body_text": text, "keywords": text}).papers) == 1


def test_the_longest_abstract_can_be_set():
    """A higher limit reads what the default skips."""
    abstract = "We knit a long scarf. " * 20_000
    (paper,) = read_lines(GOOD | {"abstract": abstract}, limits=Limits(abstract_characters=500_000)).papers
    assert paper.abstract == abstract.strip()


SMALL = Limits(file_bytes=50_000, free_bytes=20_000, packing=10)


def test_a_packed_file_that_unpacks_to_too_much_is_told_and_not_held():
    """Unpacking stops at the limit."""
    reading = read(gzip.compress(b" " * 30_000), SMALL)
    assert reading.papers == ()
    assert "unpacks to more than" in reading.skipped[0].reason
    assert "gunzip" in reading.skipped[0].reason


def test_a_packed_file_may_be_as_large_as_a_file():
    """Text that packs well, in parts (as `cat` joins them), is read up to the limit of free bytes."""
    packed = gzip.compress(json.dumps(GOOD).encode() + b" " * 5_000 + b"\n") * 3
    assert len(read(packed, SMALL).papers) == 3


def test_a_large_file_is_told_without_being_read(tmp_path):
    """A file over the limit is named with what to do; files beside it are read."""
    (tmp_path / "good.jsonl").write_text(json.dumps(GOOD))
    with (tmp_path / "large.jsonl").open("wb") as large:
        large.truncate(SMALL.file_bytes + 1)
    good, large_file = expand_sources([tmp_path])
    assert len(read_source(good, None, SMALL).papers) == 1
    (skip,) = read_source(large_file, None, SMALL).skipped
    assert "split it into smaller files" in skip.reason
    assert "RAG_QA_FILE_MEGABYTES" in skip.reason


@pytest.mark.parametrize("size", [50_000, 50_001])
def test_standard_input_and_pipes_have_the_same_limit(tmp_path, monkeypatch, size):
    """What is read only once is read up to the limit."""
    content = json.dumps(GOOD).encode().ljust(size)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(content), daemon=True)
    writer.start()
    for file in expand_sources(["-", tmp_path / "pipe"], limits=SMALL):
        assert len(read_source(file, None, SMALL).papers) == (size == 50_000)


@pytest.mark.parametrize(
    ("damaged", "told"),
    [("<entry>", "not closed"), ("@a{", "BibTeX"), ('{"title": ', "not valid JSON")],
)
def test_a_file_of_damaged_records_is_left_after_some(damaged, told):
    """After many damaged records and hardly a good one, the rest is not read, and that is told."""
    opening = '<feed xmlns="http://www.w3.org/2005/Atom">' if damaged == "<entry>" else ""
    reading = read((opening + f"{damaged}\n" * 50).encode(), Limits(damages=20))
    assert told in reading.skipped[0].reason
    assert "20 damaged records come before this" in reading.skipped[-1].reason
    assert len(reading.skipped) == 21


def test_good_records_among_damaged_ones_are_read():
    """A file is read to its end as long as half of its records are good."""
    good, bad = json.dumps(GOOD), '{"title": "Wool'
    reading = read("\n".join([good, bad] * 60).encode(), Limits(damages=20))
    assert len(reading.papers) == len(reading.skipped) == 60


def test_the_size_of_a_value_is_counted_without_recursion():
    """Depth and characters of a value nested deeper than Python's stack are counted."""
    assert size_of(nested(100_000)) == (13, 100_000)


@pytest.mark.parametrize("values", ["&a [wool]\nb: &b [*a, *a]", "&a [*a]\nb: 1"])
def test_a_value_used_many_times_is_told(values):
    """Front matter whose aliases multiply, or hold themselves, is skipped, not expanded."""
    lines = "".join(f"k{n}: &c{n} [{', '.join([f'*c{n - 1}'] * 9)}]\n" for n in range(1, 12))
    fields = f"title: Wool\nnote: {values}\nkeywords: &c0 [wool]\n{lines}authors: *c11"
    text = f"---\n{fields}\n---\n\n# Wool\n\n{'We knit. ' * 9}\n"
    reading = read(text.encode(), format="text")
    assert "more than 2,000,000 values" in reading.skipped[0].reason


def test_strings_of_bibtex_do_not_multiply():
    """@string values that double at each step stay short, and the entries are read."""
    doubling = "".join(f"@string{{s{n} = s{n - 1} # s{n - 1}}}\n" for n in range(1, 60))
    entry = "@article{k, title={Knitting}, abstract={We knit wool.}, journal=s59}"
    (paper,) = read(f'@string{{s0 = "Wool "}}\n{doubling}{entry}'.encode()).papers
    assert len(paper.venue) < 1100


def test_a_file_of_bare_marks_is_told_at_once():
    """Hundreds of thousands of beginnings of BibTeX entries are not taken apart one by one."""
    assert read(b"@a{" * 200_000).skipped[0].reason.startswith("not BibTeX: over 10,000 entries")
