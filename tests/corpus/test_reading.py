"""Files of every format become papers; what is broken is skipped with a reason."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_qa.corpus.reading import FORMATS, BinaryFormat, read_source
from rag_qa.corpus.sources import SourceFile
from rag_qa.errors import SourceError

TEXT = "We knit a scarf of graphs. It keeps the nodes warm."
PAGE = """Goto

Collaborating Authors

 Weaver, Wilma


Knitting Graphs

Journal of Wool

We knit a scarf of graphs.


Purling Trees

arXiv.org Machine Learning

We purl a tree.
"""


def test_an_author_page_gives_titles_venues_and_the_author():
    """Each block of an author page is a paper by the page's author; its source line is the venue."""
    papers = _read(PAGE).papers
    assert [(p.title, p.venue, p.authors) for p in papers] == [
        ("Knitting Graphs", "Journal of Wool", ("Wilma Weaver",)),
        ("Purling Trees", "arXiv.org Machine Learning", ("Wilma Weaver",)),
    ]
    assert papers[0].abstract == "We knit a scarf of graphs."


def test_an_author_page_that_lost_its_blank_lines_is_read_in_threes():
    """If pasting lost the blank lines, every three paragraphs are a record."""
    squeezed = "\n".join(line for line in PAGE.split("\n") if line)
    assert [paper.title for paper in _read(squeezed).papers] == ["Knitting Graphs", "Purling Trees"]


def test_two_author_pages_in_one_file_keep_their_authors():
    """A second page begins at its own heading."""
    authors = [paper.authors for paper in _read(PAGE + PAGE.replace("Weaver, Wilma", "Spinner, Sam")).papers]
    assert authors == [("Wilma Weaver",)] * 2 + [("Sam Spinner",)] * 2


def test_a_block_without_an_abstract_is_skipped():
    """A block of title and source alone is reported, and the rest is kept."""
    reading = _read(PAGE.replace("We knit a scarf of graphs.\n", ""))
    assert [paper.title for paper in reading.papers] == ["Purling Trees"]
    assert reading.skipped[0].record == 1


@pytest.mark.parametrize(
    "text",
    [
        "Abstract:We knit.\nAbstract: We purl.\n",
        "Abstract:We knit.Abstract:We purl.",
        "Abstract: We knit. Abstract: We purl.",
        "\n\nAbstract:\nWe knit.\n\n\nAbstract:\nWe purl.",
    ],
)
def test_runs_of_abstracts_are_split(text):
    """Abstracts without titles are separated by their label, even if joined without a line break."""
    papers = _read(text).papers
    assert [paper.abstract for paper in papers] == ["We knit.", "We purl."]
    assert all(paper.title == "" for paper in papers)


def test_the_label_inside_a_sentence_splits_nothing():
    """The word "Abstract:" in the middle of a sentence is text."""
    assert len(_read("Abstract: We parse the field Abstract: of a page.").papers) == 1


RECORD = {"title": "Knitting", "abstract": TEXT, "authors": ["Wilma Weaver"], "year": 2021}
BIBTEX = """@comment{ignored}
@article{knit21, title={Knitting {G}raphs}, author={Weaver, Wilma and {The Wool Group} and G{\\"o}del, Kurt},
 journal={J. Wool}, year=2021, abstract={We gain 50% with $x_i<y$ \\& more.}, doi={10.1000/ABC}}
"""
RIS = f"TY  - JOUR\nAU  - Weaver, Wilma\nTI  - Knitting\nPY  - 2021/05/03\nAB  - {TEXT}\nID  - k1\nER  - \n"
ATOM = f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/2101.00001v3</id>
<title>Knitting
  Graphs</title><summary>{TEXT}</summary><author><name>Wilma Weaver</name></author>
<published>2021-01-01T00:00:00Z</published></entry></feed>"""


@pytest.mark.parametrize(
    ("content", "title", "ident"),
    [
        (json.dumps(RECORD), "Knitting", None),
        (json.dumps([RECORD], indent=1), "Knitting", None),
        (json.dumps({"meta": {"n": 1}, "papers": [RECORD]}, indent=1), "Knitting", None),
        (json.dumps({"message": {"items": [RECORD]}}, indent=1), "Knitting", None),
        (
            json.dumps({"_id": "d1", "title": "Knitting", "text": TEXT, "year": "2021-05-03"}),
            "Knitting",
            "d1",
        ),
        (f"id,title,summary,authors,year\n7,Knitting,{TEXT},Wilma Weaver,2021\n", "Knitting", "7"),
        (f"Title\tAbstract\tAuthors\tYear\nKnitting\t{TEXT}\tWeaver, Wilma\t2021\n", "Knitting", None),
        (RIS, "Knitting", "k1"),
        (ATOM, "Knitting Graphs", "arXiv:2101.00001"),
    ],
    ids=["jsonl", "array", "object", "nested", "beir", "csv", "tsv", "ris", "atom"],
)
def test_a_format_is_recognised_by_its_content(content, title, ident):
    """The format of a file is recognised by its content, not its name."""
    (paper,) = _read(content).papers
    assert (paper.title, paper.abstract, paper.year) == (title, TEXT, 2021)
    assert paper.authors in ((), ("Wilma Weaver",))
    assert ident is None or paper.id == ident


def test_bibtex_is_decoded():
    """Accents and escapes are decoded, a group stays whole, percent signs and formulas survive."""
    (paper,) = _read(BIBTEX).papers
    assert (paper.id, paper.title, paper.doi) == ("knit21", "Knitting Graphs", "10.1000/abc")
    assert paper.authors == ("Wilma Weaver", "The Wool Group", "Kurt Gödel")
    assert paper.abstract == "We gain 50% with $x_i<y$ & more."
    assert paper.aliases == ("doi:10.1000/abc",)


def test_a_broken_bibtex_block_costs_only_itself():
    """An entry that never closes is reported; the others are kept."""
    reading = _read(BIBTEX + "@article{bad, title={never\n" + BIBTEX.replace("knit21", "knit22"))
    assert [paper.id for paper in reading.papers] == ["knit21", "knit22"]
    assert len(reading.skipped) == 1


def test_the_arxiv_dump_is_read():
    """A record of arXiv's metadata dump has an arXiv id, flipped names and the year of its first version."""
    record = {"id": "0704.0001", "title": "Knitting", "abstract": f"  {TEXT}\n", "update_date": "2009-01-01",
              "authors_parsed": [["Weaver", "Wilma", ""]], "categories": "cs.LG",
              "versions": [{"created": "Mon, 2 Apr 2007 19:18:42 GMT"}]}  # fmt: skip
    (paper,) = _read(json.dumps(record)).papers
    assert (paper.id, paper.arxiv_id, paper.year) == ("arXiv:0704.0001", "0704.0001", 2007)
    assert paper.authors == ("Wilma Weaver",)


def test_a_record_is_skipped_with_its_number_and_reason():
    """Bad lines among good ones are reported by number, counting from 1."""
    lines = [json.dumps(RECORD), "{broken", json.dumps({"title": "T"}), json.dumps({"abstract": {"a": 1}}),
             json.dumps(RECORD | {"abstract": "N/A"}), json.dumps({"abstract": "\x01\x02\x03 x\x04\x05"}),
             "[1]", json.dumps(RECORD | {"title": {"x": 1}}), json.dumps(RECORD), json.dumps(RECORD),
             json.dumps(RECORD), json.dumps(RECORD), json.dumps(RECORD)]  # fmt: skip
    reading = _read("\n".join(lines))
    assert len(reading.papers) == 6
    assert [skip.record for skip in reading.skipped] == [2, 3, 4, 5, 6, 7, 8]
    reasons = " | ".join(skip.reason for skip in reading.skipped)
    assert "not valid JSON" in reasons
    assert "no abstract" in reasons
    assert "not readable text" in reasons


@pytest.mark.parametrize(
    "content", [b"", b"  \n", b"just some prose", b"\x89PNG\r\n\x1a\n\0\0\0", b"\x1f\x8bbroken"]
)
def test_what_is_no_format_is_skipped(content):
    """Prose, pictures, empty and damaged files give one skip with a reason."""
    reading = _read(content)
    assert not reading.papers
    assert [bool(skip.reason) for skip in reading.skipped] == [True]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_encodings_are_recognised(encoding):
    """Byte-order marks, UTF-8 and Latin-1 all give the same text."""
    (paper,) = _read("Abstract: Größe zählt.".encode(encoding)).papers
    assert paper.abstract == "Größe zählt."


def test_one_bad_line_does_not_spoil_the_others():
    """A line in Latin-1 inside a UTF-8 file is decoded by itself."""
    good, bad = '{"abstract": "Größe"}\n'.encode(), '{"abstract": "Länge"}\n'.encode("latin-1")
    assert [paper.abstract for paper in _read(good + bad).papers] == ["Größe", "Länge"]


def test_gzip_is_recognised_by_its_magic_number():
    """A gzipped file needs no ending."""
    assert len(_read(gzip.compress(json.dumps(RECORD).encode())).papers) == 1


def test_texts_are_safe_to_print():
    """Terminal escapes, controls and lone surrogates do not survive; white space is single."""
    (paper,) = _read(
        '{"title": "A\\u001b[31mB\\u0007", "abstract": "One\\n\\n two \\ud800 three\\u202e."}'
    ).papers
    assert (paper.title, paper.abstract) == ("AB", "One two \ufffd three.")


def test_an_unknown_format_is_an_error(tmp_path):
    """Asking for a format that does not exist names those that do."""
    with pytest.raises(SourceError, match="author-page"):
        read_source(SourceFile(path="-", digest="", content=b""), "docx")


def test_a_format_of_bytes_is_tried_before_those_of_text(monkeypatch):
    """A binary format gets the raw file, even if the same bytes look like a text format."""
    raw = b"%KNIT\xff" + json.dumps(RECORD).encode()
    knitted = BinaryFormat(
        lambda raw: raw.startswith(b"%KNIT"), lambda raw: iter([{"abstract": TEXT, "id": "k"}])
    )
    monkeypatch.setitem(FORMATS, "knit", knitted)
    assert [paper.id for paper in _read(raw).papers] == ["k"]
    assert [paper.id for paper in _read(b"anything", "knit").papers] == ["k"]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400), st.sampled_from([None, *FORMATS]))
def test_arbitrary_bytes_never_raise(content, format):
    """Random bytes are skipped, whichever format is named."""
    assert _read(content, format) is not None


_SCRAPS = [
    *(
        "@article{",
        "a,",
        "}",
        "title={",
        '"',
        "{",
        "[",
        "\\",
        "$",
        "%",
        "TY  - ",
        "ER  - ",
        "AB  - ",
        "\n",
        ",",
    ),
    *(
        "\t",
        "Abstract:",
        "abstract",
        "<entry>",
        "<feed xmlns='http://www.w3.org/2005/Atom'>",
        "</feed>",
        ":",
        "x",
    ),
    *("Collaborating Authors", "\ud800", "\0", "\x1b]", "{\\'", " and "),
]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(_SCRAPS), max_size=40).map("".join), st.sampled_from([None, *FORMATS]))
def test_scraps_of_syntax_never_raise(text, format):
    """Pieces of every format in any order are read or skipped, never raised."""
    reading = _read(text.encode(errors="surrogatepass"), format)
    assert all(paper.abstract for paper in reading.papers)


def _read(content, format=None):
    raw = content.encode() if isinstance(content, str) else content
    return read_source(SourceFile(path="-", digest="", content=raw), format)
