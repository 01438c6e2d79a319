"""Whatever happens to a file, each of its records becomes a paper or is skipped with a reason."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag_qa.corpus.decoding import decode_bytes
from rag_qa.corpus.reading import FORMATS, read_source
from rag_qa.corpus.sources import SourceFile

# A word in the abstract of each record, by which its text is known again.
MARKERS = ("zigzagging", "yarnwinding", "xylographing")
ABSTRACTS = [
    f"We study {marker} in wool and in linen. It holds for sheep {n}." for n, marker in enumerate(MARKERS)
]
RECORDS = [
    {
        "id": f"k{n}",
        "title": f"Knitting, part {'ABC'[n]}",
        "abstract": abstract,
        "authors": ["Wilma Weaver"],
        "year": 2021,
    }
    for n, abstract in enumerate(ABSTRACTS)
]
JSON_LINES = "".join(f"{json.dumps(record)}\n" for record in RECORDS)


def each(template):
    """A template for one record, filled for all: {n} is its number, {text} its abstract."""
    return "".join(
        template.replace("{n}", str(n)).replace("{text}", text) for n, text in enumerate(ABSTRACTS)
    )


def made_pdf(*lines):
    """A PDF of one page with these lines, the first of them large."""
    shown = b"".join(
        b"/F1 %d Tf 0 -%d Td (%s) Tj " % (18 if n == 0 else 10, 24 if n == 0 else 14, line.encode())
        for n, line in enumerate(lines)
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\nBT 72 720 Td %sET\nendstream" % (len(shown) + 16, shown),
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, value in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return body + (
        b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (table, len(body))
    )


# From these only the abstract is read; the text around it is left out on purpose.
EXCERPTED = ("text", "pdf")
PDF = made_pdf(
    "Knitting With Wool And Linen", "Abstract", *ABSTRACTS, "It is warm and it lasts.", "1 Introduction"
)
# One small valid file of every format, with as many of the records as it can hold.
EXAMPLES: dict[str, str | bytes] = {
    "author-page": "Goto\n\nCollaborating Authors\n\n Weaver, Wilma\n\n\n"
    + each("Knitting {n}\n\nJournal of Wool\n\n{text}\n\n\n"),
    "abstracts": each("Abstract: {text}\n\n"),
    "jsonl": JSON_LINES,
    "arxiv": each(
        '{"id": "0704.000{n}", "title": "Knitting {n}", "abstract": "{text}", "update_date": "2009-01-01", '
        '"authors_parsed": [["Weaver", "Wilma", ""]]}\n'
    ),
    "beir": each('{"_id": "d{n}", "title": "Knitting {n}", "text": "{text}", "metadata": {}}\n'),
    "atom": '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">'
    + each(
        "<entry><id>http://arxiv.org/abs/2101.0000{n}v1</id><title>Knitting {n}</title><summary>{text}</summary>"
        "<author><name>Wilma Weaver</name></author><published>2021-01-01T00:00:00Z</published></entry>\n"
    )
    + "</feed>",
    "ris": each(
        "TY  - JOUR\nAU  - Weaver, Wilma\nTI  - Knitting {n}\nPY  - 2021\nAB  - {text}\nID  - k{n}\nER  - \n\n"
    ),
    "medline": each(
        "PMID- 1000{n}\nTI  - Knitting {n}\nAB  - {text}\nFAU - Weaver, Wilma\nDP  - 2021 Mar\n\n"
    ),
    "wos": "FN Clarivate Analytics Web of Science\nVR 1.0\n"
    + each(
        "PT J\nAU Weaver, W\nTI Knitting {n}\nSO JOURNAL OF WOOL\nAB {text}\nPY 2021\nUT WOS:00{n}\nER\n\n"
    )
    + "EF\n",
    "endnote": each("%0 Journal Article\n%A Weaver, Wilma\n%T Knitting {n}\n%D 2021\n%X {text}\n\n"),
    "bibtex": each(
        "@article{k{n}, title={Knitting {n}}, author={Weaver, Wilma},\n  year=2021, abstract={{text}}}\n\n"
    ),
    "json": json.dumps({"papers": RECORDS}, indent=1),
    "xml": "<PubmedArticleSet>"
    + each(
        '<PubmedArticle><MedlineCitation><PMID Version="1">900{n}</PMID><Article><ArticleTitle>Knitting {n}.'
        "</ArticleTitle><Abstract><AbstractText>{text}</AbstractText></Abstract></Article></MedlineCitation>"
        "</PubmedArticle>\n"
    )
    + "</PubmedArticleSet>",
    "pubmed-text": each(
        "{n}. J Wool. 2021 Mar 3;1(1):1-2. doi: 10.5555/wool.{n}.\n\nKnitting {n}.\n\nWeaver W(1).\n\n{text}\n\n"
        "DOI: 10.5555/wool.{n}\nPMID: 900{n}\n\n\n"
    ),
    "text": f"# Knitting\n\n{ABSTRACTS[0]}\n",
    "pdf": PDF,
    "tsv": "Title\tAbstract\tYear\n" + each("Knitting {n}\t{text}\t2021\n"),
    "csv": "title,abstract,year\n" + each('"Knitting, {n}","{text}",2021\n'),
}


def raw_example(format):
    example = EXAMPLES[format]
    return example if isinstance(example, bytes) else example.encode()


def read(content, format=None):
    return read_source(SourceFile(path="-", digest="", content=content), format)


def lost(content, reading):
    """The markers that are in the text but in no paper, although nothing was skipped."""
    if reading.skipped:
        return []
    text = decode_bytes(content)
    taken = " ".join(paper.model_dump_json() for paper in reading.papers)
    return [marker for marker in MARKERS if marker in text and marker not in taken]


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_an_example(format):
    """Each format is tried below: its example is recognised, and all that it holds is read."""
    assert format in EXAMPLES, f"add a small valid file of the format {format} to EXAMPLES"
    content = raw_example(format)
    reading = read(content)
    assert reading.skipped == ()
    assert reading.papers
    assert reading == read(content, format)
    assert format in EXCERPTED or not lost(content, reading)


SCRAPS = [
    *(
        b"\n",
        b"\n\n",
        b"\r\n",
        b"\t",
        b" ",
        b",",
        b";",
        b'"',
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b"<",
        b">",
        b"&",
        b"\\",
        b"@",
    ),
    *(
        b"\xef\xbb\xbf",
        b"\xff",
        b"\x00",
        b"\xe9",
        b"%",
        b"#",
        b"$",
        b"-",
        b"TY  - JOUR\n",
        b"ER  - \n",
        b"PMID- 7\n",
        b"PT J\n",
    ),
    *(
        b"Abstract:",
        b"Collaborating Authors\n",
        b"<entry>",
        b"</entry>",
        b"@article{",
        b"%0 Book\n",
        b"null",
        b"]}",
        b"<!--",
    ),
]
# What people and programs do to files: the edit, its position (a share of the file), and its length.
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "insert", "replace", "repeat", "cut", "join"]),
        st.floats(0, 1),
        st.integers(1, 60),
        st.sampled_from(SCRAPS),
    ),
    min_size=1,
    max_size=4,
)


def edited(content, edits):
    for what, position, size, scrap in edits:
        at = int(position * len(content))
        before, piece, after = content[:at], content[at : at + size], content[at + size :]
        content = {
            "delete": before + after,
            "insert": before + scrap + piece + after,
            "replace": before + scrap + after,
            "repeat": before + piece + piece + after,
            "cut": before + piece if position > 0.3 else content,
            "join": content + content,
        }[what]
    return content


@pytest.mark.parametrize("format", FORMATS)
# The same examples each time: some edits turn one valid file into another, which says something else.
@settings(derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(edits=EDITS, named=st.booleans())
@example(edits=[("insert", 0.1875, 1, b"]}")] * 2, named=True)
def test_no_record_of_a_damaged_file_is_lost_untold(format, edits, named):
    """Every record found has one number and one fate, and text that became no paper was skipped with a reason."""
    content = edited(raw_example(format), edits)
    reading = read(content, format if named else None)
    check_numbers(reading)
    if named and format not in EXCERPTED:
        assert lost(content, reading) == []


def check_numbers(reading):
    """Every record has one number and one fate."""
    numbers = [paper.sources[0].record for paper in reading.papers] + [
        skip.record for skip in reading.skipped
    ]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert numbers
    assert all(skip.reason for skip in reading.skipped)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("at", [0.1, 0.35, 0.5, 0.65, 0.9])
def test_a_truncated_file_costs_what_was_cut(format, at):
    """A download that broke off keeps the records before, and reports the cut one if its text is missing."""
    content = raw_example(format)
    reading = read(content[: int(len(content) * at)], format)
    assert reading.papers or reading.skipped
    if format not in EXCERPTED:
        assert lost(content[: int(len(content) * at)], reading) == []
