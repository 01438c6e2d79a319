"""PubMed's "Abstract (text)" format."""

TEXT = """1. J Wool. 2020 Sep 12;1(1):1-2. doi: 10.5555/w.

Knitting graphs.

Weaver W(1), Mug L(2).

Author information:
(1)University of Wool.

BACKGROUND: Wool is warm. There were
3. rounds in 2019.
RESULTS: We knit.

DOI: 10.5555/w
PMID: 123 [Indexed for MEDLINE]


2. J Wool. 2021;2:3.

Purling.

Spinner S.

We purl.

PMID: 124
"""


def test_pubmeds_text_is_read(read):
    """Citation, title, authors, abstract and ids of each record arrive; addresses do not."""
    one, two = read(TEXT).papers
    assert (one.title, one.authors, one.venue, one.year) == (
        "Knitting graphs",
        ("W Weaver", "L Mug"),
        "J Wool",
        2020,
    )
    assert one.abstract == "BACKGROUND: Wool is warm. There were 3. rounds in 2019. RESULTS: We knit."
    assert (one.doi, one.pmid, two.pmid) == ("10.5555/w", "123", "124")
    assert (two.title, two.abstract) == ("Purling", "We purl.")
