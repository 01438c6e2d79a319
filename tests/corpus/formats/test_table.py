"""CSV and TSV as tools and spreadsheets leave them."""

import pytest

ABSTRACT = "We knit a scarf."


@pytest.mark.parametrize(
    "text",
    [
        f"sep=;\nTitle;Abstract;Year\nKnitting;{ABSTRACT};2021\n",
        f"\ufeffTitle,Abstract,Year\nKnitting,{ABSTRACT},2021\n",
        f"Title|Abstract|Year\nKnitting|{ABSTRACT}|2021\n",
        f"Title\tAbstract\tYear\nKnitting\t{ABSTRACT}\t2021\t\n",
        f"Title\tAbstract\tYear\t\nKnitting\t{ABSTRACT}\t2021\t\t\t\n",
        f'"About the data: exported, filtered"\nTitle,Abstract,Year\nKnitting,{ABSTRACT},2021\n',
        f'Year,Title,Abstract,Volume,Pages\n2021,"Knitting","{ABSTRACT}"\n',
        'Title, "Abstract", Year\r\nKnitting, "We knit\r\na scarf.", 2021\r\n',
        f"TI\tAB\tPY\tID\tUT\nKnitting\t{ABSTRACT}\t2021\tWOOL; YARN\tWOS:1\n",
        f"Article Title,Abstract,Publication Year\nKnitting,{ABSTRACT},2021.0\n",
    ],
    ids=["sep", "mark", "bar", "tail", "tails", "preface", "short row", "quoted lines", "wos", "float"],
)
def test_a_table_of_any_shape_is_read(read, text):
    """Delimiters, lines before the header, and empty cells that are too many or missing lose no row."""
    reading = read(text)
    assert [(paper.title, paper.abstract, paper.year) for paper in reading.papers] == [
        ("Knitting", ABSTRACT, 2021)
    ]
    assert not reading.skipped


def test_stray_quotation_marks_in_tabs_are_text(read):
    """If each line is a row, a quotation mark at the start of a cell does not swallow the lines after it."""
    papers = read('TI\tAB\tPY\n"Cold knitting\tWe knit.\t2020\n"Hot" purling\tWe "purl" it.\t2021\n').papers
    assert [(paper.title, paper.abstract) for paper in papers] == [
        ('"Cold knitting', "We knit."),
        ('"Hot" purling', 'We "purl" it.'),
    ]


def test_an_open_quotation_mark_costs_no_other_row(read):
    """The rows behind a cell that is never closed are read, and bare marks inside a cell stay."""
    text = 'Title,Abstract,Year\nA,"We knit,2020\nB,We purl.,2021\nC,"We ""sew"" it.",2022\nD,"We "weave" it.",2023\n'
    reading = read(text)
    assert [paper.title for paper in reading.papers][-3:] == ["B", "C", "D"]
    assert len(reading.papers) + len(reading.skipped) == 4


def test_tables_that_were_joined_are_read_under_their_headers(read):
    """The header of a second table is no paper, and its order of columns holds from there on."""
    papers = read("Title,Abstract\nA,We knit.\nAbstract,Title\nWe purl.,B\n").papers
    assert [(paper.title, paper.abstract) for paper in papers] == [("A", "We knit."), ("B", "We purl.")]


def test_too_many_cells_are_told(read):
    """A row with more cells than the header, such as one with an unquoted comma, is not guessed at."""
    (skip,) = read("Title,Abstract\nA,We knit, and purl.\n").skipped
    assert skip.reason == "3 columns, but the header has 2"


@pytest.mark.parametrize(
    ("header", "row", "authors"),
    [
        (
            "Authors,Author full names,Title,Source title,PubMed ID,Abstract",
            f'"Weaver W.; Mug L.","Weaver, Wilma (57190000000); Mug, Lou (5)",Knitting,Journal of Wool,123,{ABSTRACT}',
            ("Wilma Weaver", "Lou Mug"),
        ),
        (
            "Key,Author,Title,Publication Title,Abstract Note,Editor,Extra",
            'K,"Weaver, Wilma; Centers for Disease Control and Prevention",Knitting,Journal of Wool,'
            f"{ABSTRACT},Ed,PMID: 123",
            ("Wilma Weaver", "Centers for Disease Control and Prevention"),
        ),
        (
            "title,abstract,authors,journal.name,externalIds.PubMed",
            f"Knitting,{ABSTRACT},\"['Wilma Weaver', 'Lou Mug']\",Journal of Wool,123.0",
            ("Wilma Weaver", "Lou Mug"),
        ),
        (
            "title,abstract,authors,venue,externalIds",
            f"Knitting,{ABSTRACT},\"[{{'name': 'Wilma Weaver'}}]\",Journal of Wool,\"{{'PubMed': '123'}}\"",
            ("Wilma Weaver",),
        ),
        (
            "TITLE,AUTHOR NAMES,SOURCE TITLE,ABSTRACT,MEDLINE PMID",
            f"Knitting,Weaver W.; Mug L.,Journal of Wool,{ABSTRACT},123",
            ("W. Weaver", "L. Mug"),
        ),
        (
            "display_name,abstract,authorships.author.display_name,primary_location.source.display_name,ids.pmid",
            f"Knitting,{ABSTRACT},Wilma Weaver|Lou Mug,Journal of Wool,https://pubmed.ncbi.nlm.nih.gov/123",
            ("Wilma Weaver", "Lou Mug"),
        ),
    ],
    ids=["scopus", "zotero", "pandas", "pandas dicts", "embase", "openalex"],
)
def test_columns_of_known_tools_are_found(read, header, row, authors):
    """Names, venue and PubMed id are found under what Scopus, Zotero, pandas, Embase and OpenAlex call them."""
    (paper,) = read(f"{header}\n{row}\n").papers
    assert (paper.title, paper.venue, paper.pmid, paper.authors) == (
        "Knitting",
        "Journal of Wool",
        "123",
        authors,
    )
