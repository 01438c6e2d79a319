"""A file that cannot be read is named by what it is, with the way out."""

import gzip
import io
import zipfile

import pytest

from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import SourceFile


def archive(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return file.getvalue()


def reason(content):
    reading = read_source(SourceFile(path="-", digest="", content=content))
    assert reading.papers == ()
    (skip,) = reading.skipped
    return skip.reason


@pytest.mark.parametrize(
    ("content", "what", "cure"),
    [
        (archive("[Content_Types].xml", "word/document.xml"), "Word document", "plain text"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "Excel workbook", "CSV"),
        (archive("papers/a.bib"), "ZIP archive", "unpack it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old Office document", "CSV"),
        (b"a.bib" + bytes(252) + b"ustar\x0000", "tar archive", "unpack it"),
        (gzip.compress(b"a.bib" + bytes(252) + b"ustar\x0000", mtime=0), "tar archive", "unpack it"),
        (b"\x1f\x8b\x08broken", "damaged gzip file", "download or pack it again"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "picture", "leave it out"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\0", "picture", "leave it out"),
        (b"SQLite format 3\0" + bytes(80), "database", "export BibTeX or RIS"),
        (b"{\\rtf1\\ansi We knit.}", "rich text", "plain text"),
        (b"%!PS-Adobe-3.0\n", "PostScript", "export BibTeX or RIS"),
        (b"PAR1\x15\0\x15", "Parquet", "CSV or JSON Lines"),
        (b"\n<!DOCTYPE html>\n<html><body>Knitting</body></html>", "a web page", "export BibTeX or RIS"),
        (
            b'<?xml version="1.0"?>\n<!-- made by hand -->\n<rdf:RDF xmlns:rdf="x"/>',
            "RDF",
            "reference manager",
        ),
        (b'<?xml version="1.0"?><wool><yarn/></wool>', "<wool>", "export BibTeX or RIS"),
        (b"% a comment\n\\documentclass{article}\nWe knit.", "LaTeX", ".bib"),
        (b"cff-version: 1.2.0\nmessage: x\n", "YAML", "export BibTeX or RIS"),
        (
            b"name,colour,weight\nscarf,red,3\n",
            "column called title or abstract (name, colour, weight)",
            "first line",
        ),
        (b"", "empty file", "empty file"),
        (b"%% only a comment\n", "empty file", "empty file"),
        (b"ab\0cd\0\0\1 ef\n\0\2", "binary data", "export BibTeX or RIS"),
    ],
)
def test_a_file_is_named_with_the_way_out(content, what, cure):
    """The one reason says what kind of file it is and what to do instead."""
    found = reason(content)
    assert what in found
    assert cure in found


@pytest.mark.parametrize(
    "content", [b"PKU, a disorder, is rare.", b"MZ twins differ.", b"RIFF raff", b"ID3 trees"]
)
def test_prose_is_not_taken_for_what_begins_like_it(content):
    """A text that begins with the letters of a signature is a text."""
    assert "text in no known format" in reason(content)


@pytest.mark.parametrize(
    "content",
    [
        b"<!--" * 50_000,
        b"<!DOCTYPE x [" * 20_000,
        b"%\n" * 100_000,
        b"," * 200_000,
        b"<" * 200_000,
        b"---\n" * 50_000,
    ],
)
def test_hostile_beginnings_are_given_up(content):
    """Text made to keep a pattern busy is recognised like any other."""
    assert reason(content)
