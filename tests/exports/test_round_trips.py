"""What is exported is read back: by our own readers, and by a BibTeX parser."""

import re

import bibtexparser
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag_qa.corpus.reading import read_source
from rag_qa.corpus.records import read_record
from rag_qa.corpus.sources import SourceFile
from rag_qa.exports import export_papers
from rag_qa.types import Paper

FORMATS = ("bib", "ris", "csl")
KEPT = (
    "title",
    "abstract",
    "authors",
    "more_authors",
    "venue",
    "year",
    "doi",
    "arxiv_id",
    "pmid",
    "url",
    "status",
)
# What one of the formats, or one of their readers, takes for its own.
MARKS = r"""\ { } $ % & # _ ~ ^ @ - -- --- ` `` ' '' << >> !` ?` " ; | = / * . : ( ) < > [ ] \alpha \input{x}
    @article{x, $x$ a_1 10% R&D {A} word Word GPT-4 McDonald of the naïve Ωmega 中文 ﬁ é p<0.05 #1 50"""
PIECES = [*MARKS.split(), "TY  - JOUR", "ER  - ", "AB  - ", " and "]
HOSTILE = st.lists(
    st.sampled_from(PIECES) | st.text(min_size=1, max_size=3), min_size=1, max_size=12
).flatmap(lambda pieces: st.sampled_from((" ", "")).map(lambda gap: gap.join(pieces)))
NAMES = st.sampled_from(
    [
        *(
            "Ian Gemp",
            "Laurens van der Maaten",
            "Luc Van Gool",
            "Martin Luther King Jr.",
            "Plato",
            "José Ñandú",
        ),
        *("Jean-Luc O'Neill", "bell hooks", "The ATLAS Collaboration", "Knit, Purl and Sew, Inc.", "王小明"),
        *("Centers for Disease Control and Prevention", "Ludwig von Mises III", "Xi LI", "J. R. R. Tolkien"),
        *("A_b C#d", "María de la Cruz", "X Æ", "Anne and Bob Lee", "50 Cent & Co Ltd"),
    ]
)
IDS = {
    "doi": st.sampled_from(
        (None, "10.5555/a_b%20c", "10.1002/(sici)1097(19980815)17:15<1661::aid-sim968>3.0.co;2-2")
    ),
    "arxiv": st.sampled_from((None, "2010.00554", "cs/0101001")),
    "pmid": st.sampled_from((None, "12345678")),
    "url": st.sampled_from((None, "https://example.org/~a_b/?q=50%25&x={y}#z")),
}


@st.composite
def papers(draw):
    """A paper as an index may hold it: our reader of JSON gives it back unchanged."""
    fields = {
        "title": draw(HOSTILE),
        "abstract": f"Words enough to read. {draw(HOSTILE)}",
        "authors": draw(st.lists(NAMES, max_size=4, unique=True)),
        "venue": draw(
            st.none() | st.sampled_from(("ICLR", "Nature", "arXiv", "Proc. of the R&D {Society}")) | HOSTILE
        ),
        "year": draw(st.none() | st.integers(1500, 2099)),
        **{name: draw(values) for name, values in IDS.items()},
    }
    paper = read_record(fields, "-", 1)
    assume(isinstance(paper, Paper) and paper.title and _kept(_read_again(paper)) == _kept(paper))
    return paper


def _read_again(paper):
    fields = paper.model_dump(exclude={"id", "kind", "versions", "aliases", "sources", "status", "arxiv_id"})
    read = read_record(fields | {"arxiv": paper.arxiv_id}, "-", 1)
    assume(isinstance(read, Paper))
    return read


def _kept(paper):
    return {name: getattr(paper, name) for name in KEPT}


def _read(text, format):
    reading = read_source(SourceFile(path="-", digest="", content=text.encode()))
    assert reading.skipped == ()
    return reading.papers


@pytest.mark.parametrize("format", FORMATS)
@given(written=st.lists(papers(), min_size=1, max_size=3))
def test_our_readers_read_what_we_write(format, written):
    """Papers that are written in a format come back from its reader with everything that the format holds."""
    if format == "bib":  # a formula stays LaTeX, and comes back as our reader reads it
        assume(not any(paper.title.count("$") > 1 for paper in written))
    if format == "ris":  # it has no sign for a group
        assume(not any(re.search(r"[,;&]| and ", name) for paper in written for name in paper.authors))
    read = _read(export_papers(written, format), format)
    assert [_kept(paper) for paper in read] == [_kept(paper) for paper in written]


@given(written=st.lists(papers(), min_size=1, max_size=3))
def test_a_bibtex_parser_finds_every_entry(written):
    """bibtexparser finds each paper under a unique key, with its fields and no failed block."""
    library = bibtexparser.parse_string(export_papers(written, "bib"))
    assert library.failed_blocks == []
    assert len({entry.key for entry in library.entries}) == len(written)
    for entry, paper in zip(library.entries, written, strict=True):
        fields = {field.key: field.value for field in entry.fields}
        assert fields.get("year") == (str(paper.year) if paper.year else None)
        assert {"title", "abstract"} <= fields.keys()
        assert fields["abstract"].count("{") == fields["abstract"].count("}")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("status", ["retracted", "expression of concern", "corrected", "preprint"])
def test_a_status_travels(make_paper, read_back, format, status):
    """What a reader must know of a paper is written, and read back."""
    (read,) = read_back(export_papers([make_paper(status=status, venue="Loaf", doi="10.5555/a")], format))
    assert read.status == status


@pytest.mark.parametrize("format", FORMATS)
def test_authors_who_are_left_out_are_not_forgotten(make_paper, read_back, format):
    """A list of authors that ended in "et al." does so again."""
    (read,) = read_back(export_papers([make_paper(authors=("Wilma Weaver",), more_authors=True)], format))
    assert (read.authors, read.more_authors) == (("Wilma Weaver",), True)
