"""The table of formats: their names, what they hold, and the endings of their files."""

import json
from pathlib import Path

import pytest

from rag_qa.errors import ExportError
from rag_qa.exports import FORMATS, export_answer, export_papers, format_of_file


def test_these_are_the_formats():
    """The formats are a fixed list: adding or removing one is a decision."""
    assert list(FORMATS) == ["md", "json", "html", "bib", "ris", "csl", "text"]


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_writes_an_answer(make_paper, make_answer, format):
    """Each format shows the paper that an answer cites."""
    assert "On bread" in export_answer(make_answer(make_paper()), format)


def test_an_unknown_format_is_an_error_that_names_the_known(make_paper, make_answer):
    """The message lists what can be chosen: of papers, only the formats of papers."""
    with pytest.raises(ExportError, match="md, json, html, bib, ris, csl, text"):
        export_answer(make_answer(make_paper()), "docx")
    with pytest.raises(ExportError, match="choose one of bib, ris, csl, text"):
        export_papers([make_paper()], "md")


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.md", "md"), ("A.BIB", "bib"), ("a.csl.json", "csl"), ("a.json", "json"), ("a.b.htm", "html")],
)
def test_a_files_name_says_its_format(name, format):
    """The longest known end of the name counts, in any case."""
    assert format_of_file(Path(name)) == format


def test_a_file_that_says_none_is_an_error():
    """The message names the ends that are known."""
    with pytest.raises(ExportError, match=r"\.md, \.json, \.html, \.bib, \.ris, \.csl\.json, \.txt"):
        format_of_file(Path("answer"))


def test_csl_is_as_processors_read_it(make_paper):
    """Names are in parts, the year is in date-parts, the DOI is in capitals."""
    paper = make_paper(
        authors=("Lou van der Mug", "The Wool Group"), year=2020, doi="10.5555/a", venue="Loaf"
    )
    (item,) = json.loads(export_papers([paper], "csl"))
    assert item["author"] == [
        {"given": "Lou", "family": "Mug", "non-dropping-particle": "van der"},
        {"literal": "The Wool Group"},
    ]
    assert item["issued"] == {"date-parts": [[2020]]}
    assert (item["id"], item["type"], item["DOI"]) == ("mug2020bread", "article-journal", "10.5555/a")
    assert item["container-title"] == "Loaf"


def test_ris_begins_and_ends_each_record(make_paper):
    """A record begins with its type and ends with ER; each value is on its own line."""
    text = export_papers([make_paper(title="On\nbread"), make_paper(id="b")], "ris")
    first, second = text.split("\n\n")
    assert first.splitlines()[0] == "TY  - GEN"
    assert "TI  - On bread" in first.splitlines()
    assert all(record.rstrip("\n").endswith("ER  - ") for record in (first, second))


def test_a_reference_in_text_is_one_line(make_paper):
    """Text references have what a bibliography has, and what must be known of the paper."""
    paper = make_paper(
        authors=("Wilma Weaver",), year=2020, venue="Loaf", doi="10.5555/a", status="retracted"
    )
    assert export_papers([paper], "text") == (
        "Wilma Weaver (2020). On bread. Loaf. https://doi.org/10.5555/a. Retracted.\n"
    )
