"""RIS, MEDLINE, Web of Science's and EndNote's tagged exports: every record is read, even from damaged files."""

import pytest

RIS = "TY  - JOUR\nAU  - Weaver, Wilma\nTI  - Knitting\nAB  - We knit a scarf.\nER  - \n"
SECOND = RIS.replace("Knitting", "Purling").replace("knit a scarf", "purl a tree")
MEDLINE = """
PMID- 123
OWN - NLM
TI  - Knitting graphs of
      wool.
LID - 10.5555/wool.1 [doi]
AB  - BACKGROUND: Wool is warm. RESULTS: We knit
      a scarf.
FAU - Weaver, Wilma
AU  - Weaver W
CN  - Wool Study Group
FED - Editor, Ed
DP  - 2020 Sep-Oct
JT  - Journal of wool

PMID- 124
OWN - NLM
TI  - Purling.
AB  - We purl.
AU  - Spinner S
AU  - King M Jr
"""
WOS = """FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Weaver, W
   Mug, L
AF Weaver, Wilma
   van der Mug, Lou
TI Knitting graphs of
   wool
SO JOURNAL OF WOOL
ID KEYWORDS; PLUS
AB We knit a scarf.
PY 2020
DI 10.5555/wool.1
PM 123
UT WOS:1
ER

PT J
AU Spinner, S
TI Purling
AB We purl.
ER
EF
"""
ENDNOTE = """%0 Journal Article
%T Knitting graphs
%A Weaver, Wilma
%A Mug, Lou
%E Editor, Ed
%D 2020
%J Journal of Wool
%X We knit a scarf.
It is warm.

It is long.
%R 10.5555/wool.1

%0 Conference Proceedings
%T Purling
%A Spinner, S
%8 2021-03
%B Proceedings of Wool
%X We purl.
"""


@pytest.mark.parametrize(
    "second",
    [
        "\ufeff" + SECOND,
        "\n".join(f"  {line}" for line in SECOND.split("\n")),
        SECOND.replace("TY  - JOUR", "TY  -JOUR"),
        SECOND.replace("  - ", " - "),
        SECOND.replace("  - ", "\t- "),
        SECOND.replace("  - ", "\u00a0\u00a0- "),
        SECOND.replace("  - ", "  \u2013 "),
        SECOND.replace("TY", "ty").replace("AB", "ab").replace("TI", "ti").replace("ER", "er"),
        SECOND.replace("ER  - \n", ""),
        SECOND.replace("TY  - JOUR\n", ""),
        SECOND.replace("ER  - ", "ER"),
        "\n\n\n" + SECOND.replace("\n", "\r\n"),
    ],
)
def test_a_joined_file_keeps_its_second_record(read, second):
    """Byte order marks, indentation, other spaces and dashes, lower case and lost tags lose no record."""
    reading = read(RIS + second)
    assert [paper.abstract for paper in reading.papers] == ["We knit a scarf.", "We purl a tree."]
    assert [paper.title for paper in reading.papers] == ["Knitting", "Purling"]
    assert not reading.skipped


def test_files_joined_without_a_line_end_are_two_records(read):
    """A record may begin on the line on which the previous one ends."""
    assert len(read(RIS.rstrip("\n") + SECOND).papers) == 2


def test_dashes_in_running_text_are_no_tags(read):
    """Lines of an abstract that begin with a short word and a dash go on with it."""
    (paper,) = read(RIS.replace("a scarf.", "it\nin - vivo and\nAI - based.")).papers
    assert paper.abstract == "We knit it in - vivo and AI - based."


def test_a_bare_er_inside_a_text_is_a_word(read):
    """A line "ER" inside a record continues the abstract."""
    (paper,) = read(RIS.replace("a scarf.", "in the\nER\nat night.")).papers
    assert paper.abstract == "We knit in the ER at night."


def test_abstracts_in_two_languages_are_both_kept(read):
    """A second AB is part of the abstract; a repeated one is kept once."""
    (paper,) = read(RIS.replace("ER", "AB  - Wir stricken.\nAB  - Wir stricken.\nER")).papers
    assert paper.abstract == "We knit a scarf. Wir stricken."


def test_a_record_without_an_abstract_is_told(read):
    """A record with nothing but its type is still counted."""
    reading = read(RIS + "TY  - JOUR\nER  - \n")
    assert [(skip.record, skip.reason) for skip in reading.skipped] == [(2, "no abstract")]


def test_call_numbers_and_captions_are_no_groups(read):
    """CN and CA of RIS are not MEDLINE's and Web of Science's groups of authors."""
    (paper,) = read(RIS.replace("ER", "CN  - QA76\nCA  - Fig. 1\nDB  - PubMed\nAN  - 321\nER")).papers
    assert (paper.authors, paper.pmid) == (("Wilma Weaver",), "321")


def test_pubmeds_nbib_is_read(read):
    """Continued lines, labels, full names, groups, DOI, PubMed id, year and venue are read; editors are not authors."""
    one, two = read(MEDLINE).papers
    assert (one.title, one.venue, one.year) == ("Knitting graphs of wool", "Journal of wool", 2020)
    assert one.abstract == "BACKGROUND: Wool is warm. RESULTS: We knit a scarf."
    assert (one.authors, one.doi, one.pmid) == (("Wilma Weaver", "Wool Study Group"), "10.5555/wool.1", "123")
    assert (two.title, two.authors, two.pmid) == ("Purling", ("S Spinner", "M King Jr"), "124")


def test_web_of_science_is_read(read):
    """Each further line of an author tag is an author, and ID holds keywords, not an id."""
    one, two = read(WOS).papers
    assert (one.id, one.title, one.authors) == (
        "WOS:1",
        "Knitting graphs of wool",
        ("Wilma Weaver", "Lou van der Mug"),
    )
    assert (one.venue, one.year, one.doi, one.pmid) == ("JOURNAL OF WOOL", 2020, "10.5555/wool.1", "123")
    assert (two.title, two.authors) == ("Purling", ("S Spinner",))


def test_endnote_is_read(read):
    """Paragraphs of an abstract belong together; a conference's book is the venue."""
    one, two = read(ENDNOTE).papers
    assert one.abstract == "We knit a scarf. It is warm. It is long."
    assert (one.authors, one.venue, one.year) == (("Wilma Weaver", "Lou Mug"), "Journal of Wool", 2020)
    assert (two.title, two.venue, two.year) == ("Purling", "Proceedings of Wool", 2021)


def test_a_text_behind_a_torn_tag_is_no_part_of_a_date(read):
    """A long line after a gap continues no date, and is skipped with a reason; an abstract may go on."""
    stray = "B  - We study how yarn is wound in wool and in linen, for sheep and for goats."
    record = "PMID- 1\nTI  - Knitting\nAB  - We knit a scarf.\nDP  - 2021 Mar\n\n"
    found = read(f"{record}{stray}\n\n{record.replace('Knitting', 'Purling').replace('- 1', '- 2')}")
    assert [paper.year for paper in found.papers] == [2021, 2021]
    (skipped,) = found.skipped
    assert "text outside of any record" in skipped.reason
    going_on = read(f"PMID- 1\nDP  - 2021\nAB  - We knit a scarf.\n\n{stray}\n")
    assert (len(going_on.papers), going_on.skipped) == (1, ())
    assert going_on.papers[0].abstract.endswith("for goats.")
