"""BibTeX and biblatex with what real files hold: repeated fields, joined strings, parents and names of every form."""

import pytest

from rag_qa.corpus.formats.bibtex import read_value


def entry(**fields):
    """An entry with a title and an abstract unless others are given; values with their delimiters."""
    values = {"title": "{Knitting}", "abstract": "{We knit.}", **fields}
    return "@article{k, " + ", ".join(f"{name}={value}" for name, value in values.items()) + "}\n"


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("{Weaver, Wilma and others}", ("Wilma Weaver",)),
        ("{Weaver, Wilma AND Mug, Lou}", ("Wilma Weaver", "Lou Mug")),
        ("{{Wool Study Group} and Weaver, Wilma}", ("Wool Study Group", "Wilma Weaver")),
        ("{{Knit, Purl and Sew, Inc.}}", ("Knit, Purl and Sew, Inc.",)),
        ("{Weaver, W. et al.}", ("W. Weaver",)),
        ("{{Centers for Disease Control and Prevention}}", ("Centers for Disease Control and Prevention",)),
        ("{de la Cruz, Ana Mar{\\'\\i}a}", ("Ana María de la Cruz",)),
        ("{King, Jr., Martin and van der Mug, Lou}", ("Martin King Jr.", "Lou van der Mug")),
        ("{family=Mug, given=Lou, prefix=van der, useprefix=true}", ("Lou van der Mug",)),
        ('{given={Dora}, family={Dyer} and family="Mug", given="Lou"}', ("Dora Dyer", "Lou Mug")),
        ("{Weaver, W.; Mug, L.}", ("W. Weaver", "L. Mug")),
        ("{Weaver, W., Mug, L., Dyer, D.}", ("W. Weaver", "L. Mug", "D. Dyer")),
        ("{Wei Wang 0001 and\n  Wilma Weaver}", ("Wei Wang", "Wilma Weaver")),
        # The four that bibtexparser's own functions damage.
        ("{Mug, Lou and \\L{}uk, Jan}", ("Lou Mug", "Jan Łuk")),
        ("{Mu\\~{n}oz, Ana}", ("Ana Muñoz",)),
        ("{Mug, Jr.}", ("Mug Jr.",)),
        ("{Mug, Lou and and Weaver, Wilma and}", ("Lou Mug", "Wilma Weaver")),
    ],
)
def test_names_of_every_form_are_read(read, author, names):
    """Groups, particles, suffixes, extended names and misused commas give names; "others" is none."""
    (paper,) = read(entry(author=author, editor="{Editor, Ed}")).papers
    assert paper.authors == names


def test_a_repeated_field_keeps_the_entry_whole(read):
    """Values of an entry that names a field twice lose their delimiters, and two abstracts are both kept."""
    text = '@string{jw = "Journal of Wool"}\n' + (
        '@article{k, author="Mug, Lou and {The Wool Group}", title="Knitting", title="Purling", journal=jw,'
        ' abstract="We knit.", abstract={Wir stricken.}}'
    )
    (paper,) = read(text).papers
    assert (paper.title, paper.venue, paper.authors) == (
        "Knitting",
        "Journal of Wool",
        ("Lou Mug", "The Wool Group"),
    )
    assert paper.abstract == "We knit. Wir stricken."


def test_a_repeated_key_is_another_entry(read):
    """Two entries under one key are two records."""
    assert [paper.title for paper in read(entry() + entry(title="{Purling}")).papers] == [
        "Knitting",
        "Purling",
    ]


def test_a_parent_gives_year_and_venue(read):
    """What an entry lacks comes from its crossref parent, whose title is the venue and whose DOI is its own."""
    parent = "@proceedings{conf/wool/2021, title={Proc. of Wool}, year={2021}, doi={10.5555/all}}"
    reading = read(
        entry(crossref="{conf/wool/2021}", doi="{10.1007/978-3\\_2}", url="{https://x.org/a\\_b}") + parent
    )
    (paper,) = reading.papers
    assert (paper.venue, paper.year) == ("Proc. of Wool", 2021)
    assert (paper.doi, paper.url) == ("10.1007/978-3_2", "https://x.org/a_b")
    assert [skip.reason for skip in reading.skipped] == ["no abstract"]


def test_a_parent_is_found_in_any_case(read):
    """Keys of BibTeX that differ in case only are equal."""
    (paper,) = read(
        "@proceedings{Wool21, title={Proc. of Wool}, year=2021}" + entry(crossref="{wool21}")
    ).papers
    assert (paper.venue, paper.year) == ("Proc. of Wool", 2021)


@pytest.mark.parametrize(
    ("written", "doi"),
    [
        (r"{10.1000/x{\_}1}", "10.1000/x_1"),
        (
            r"{10.1002/1097(19980815){\textless}1661::AID{\textgreater}3.0}",
            "10.1002/1097(19980815)<1661::aid>3.0",
        ),
        (r"{https://doi.org/10.1000/a\textasciitilde{}b}", "10.1000/a~b"),
    ],
)
def test_macros_in_a_doi_are_characters(read, written, doi):
    """What reference managers escape in a DOI is decoded, so that it is the same as elsewhere."""
    (paper,) = read(entry(doi=written)).papers
    assert paper.doi == doi


def test_entries_that_are_each_others_parents_are_read(read):
    """A circle of parents ends."""
    text = entry(crossref="{b}").replace("{k,", "{a,") + entry(crossref="{a}").replace("{k,", "{b,")
    assert len(read(text).papers) == 2


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("{a {b} c}", "a {b} c"),
        ('"a {"}b{"} c"', 'a {"}b{"} c'),
        ('"A " # jw # { B}', "A Journal of Wool B"),
        ("JW", "Journal of Wool"),
        ("2021", "2021"),
        ("{a} b", "{a} b"),
        ('{a " b}', 'a " b'),
        ("{a \\} b}", "a \\} b"),
        ("", ""),
    ],
)
def test_values_lose_their_delimiters(raw, value):
    """Braces and quotation marks go, strings are resolved and joined, and what is no value stays."""
    assert read_value(raw, {"jw": "Journal of Wool"}) == value


def test_biblatex_fields_are_read(read):
    """Journal title, date and eprint of biblatex are venue, year and arXiv id; a note may hold the PubMed id."""
    (paper,) = read(
        entry(journaltitle="{J}", date="{2008-11/2009-01}", eprint="{2101.00001}", note="{PMID: 123}")
    ).papers
    assert (paper.venue, paper.year, paper.arxiv_id, paper.pmid) == ("J", 2008, "2101.00001", "123")
