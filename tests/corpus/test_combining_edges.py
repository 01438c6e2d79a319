"""Which record of a paper speaks for it, field by field."""

import pytest

from rag_qa.corpus.combining import combine_papers, settle_ids
from rag_qa.types import Source, Version

TEXT = "Forty loaves rose in the dark. Light made no difference to any of them."
LONGER = TEXT + " The crumb was as fine as that of loaves baked by day."


def test_one_record_stays_as_it_is(paper):
    """Nothing is combined from one record, not even its versions."""
    one = paper(TEXT, title="Bread", versions=(Version(title="Loaves"),))
    assert combine_papers([one]) is one


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"doi": "10.1000/x"}, {"arxiv_id": "2101.00001"}),
        ({"venue": "Baking"}, {"arxiv_id": "2101.00001"}),
        ({"pmid": "123"}, {"venue": "arXiv"}),
        ({"venue": "Baking"}, {"venue": "Baking Letters", "status": "preprint"}),
        ({"arxiv_id": "2101.00001"}, {}),
        ({"venue": "arXiv"}, {}),
        ({"doi": "10.48550/arXiv.2101.00001"}, {}),
        ({"venue": "Baking", "year": 2020}, {"venue": "Baking"}),
        ({"title": "RETRACTED: Bread rises"}, {"venue": "Baking"}),
    ],
)
def test_the_better_source_gives_the_title(paper, first, second):
    """Published before preprint, preprint before neither, and among equals the one that says more."""
    one = paper(TEXT, number=1, **{"title": "Bread rises", **first})
    other = paper(TEXT, number=2, **{"title": "How bread rises by night", **second})
    titles = {combine_papers(papers).title for papers in ([one, other], [other, one])}
    assert titles == ({"How bread rises by night"} if "title" in first else {"Bread rises"})


def test_a_mark_of_the_same_title_is_kept(paper):
    """A title with "RETRACTED:" goes before the same title without it, whoever leads."""
    one = paper(TEXT, number=1, title="Bread rises", venue="Baking", year=2020, doi="10.1000/x")
    other = paper(TEXT, number=2, title="RETRACTED: Bread rises")
    assert combine_papers([one, other]).title == "RETRACTED: Bread rises"


@pytest.mark.parametrize(
    ("second", "filled"),
    [
        ({"year": 2020}, 2020),
        ({"year": 2020, "venue": "baking"}, 2020),
        ({"year": 2020, "venue": "Brewing"}, None),
        ({"year": 2020, "doi": "10.1000/y"}, None),
        ({"year": 2020, "arxiv_id": "2101.00001"}, None),
    ],
)
def test_a_gap_is_filled_by_what_does_not_contradict(paper, second, filled):
    """A record of the same standing, or of none, fills a gap unless its venue, year or DOI is another."""
    one = paper(TEXT, number=1, title="Bread", venue="Baking", doi="10.1000/x")
    other = paper(TEXT, number=2, title="Bread", **second)
    assert combine_papers([one, other]).year == filled


def test_fields_that_cannot_contradict_come_from_any_record(paper):
    """Address, arXiv id and PubMed id are filled from a record even if its venue is another."""
    one = paper(TEXT, number=1, title="Bread", venue="Baking", year=2021)
    other = paper(
        TEXT, number=2, title="Bread", url="https://example.org/b", arxiv_id="2101.00001", status="preprint"
    )
    third = paper(TEXT, number=3, title="Bread", venue="Brewing", pmid="123")
    combined = combine_papers([other, one, third])
    assert (combined.url, combined.arxiv_id, combined.pmid) == ("https://example.org/b", "2101.00001", "123")


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        (("preprint", None), None),
        (("preprint", "preprint"), "preprint"),
        (("preprint", "retracted"), "retracted"),
        ((None, "retracted"), "retracted"),
        ((None, None), None),
    ],
)
def test_the_gravest_status_stays(paper, statuses, found):
    """A preprint is one no longer once it is published; a retraction is never lost."""
    first, second = statuses
    one = paper(TEXT, number=1, title="Bread", status=first)
    other = paper(TEXT, number=2, title="Bread", venue="Baking", status=second)
    assert {combine_papers(papers).status for papers in ([one, other], [other, one])} == {found}


def test_what_records_say_otherwise_is_kept(paper):
    """Each record that differs is a version, versions of before among them; what says nothing new is none."""
    old = Version(title="Loaves", year=2018)
    one = paper(TEXT, number=1, title="Bread", venue="Baking", year=2021, versions=(old,))
    other = paper(TEXT, number=2, title="Bread by night", year=2020, arxiv_id="2101.00001")
    same = paper(TEXT, number=3, title="BREAD", venue="baking")
    combined = combine_papers([one, other, same])
    assert {(version.title, version.year) for version in combined.versions} == {
        ("Bread by night", 2020),
        ("Loaves", 2018),
    }


def test_one_author_in_two_spellings_is_one(paper):
    """The longest list leads; last name and first initial say who is in it already."""
    one = paper(TEXT, number=1, title="Bread", authors=("J. Smith", "Ann Ewe"), more_authors=False)
    other = paper(
        TEXT, number=2, title="Bread", authors=("John Smith", "K. Smith", "王伟"), more_authors=True
    )
    combined = combine_papers([one, other])
    assert combined.authors == ("John Smith", "K. Smith", "王伟", "Ann Ewe")
    assert combined.more_authors


def test_every_source_keeps_its_own_text(paper):
    """A source whose text is not the one shown keeps it, once for each record of each file, in their order."""
    one = paper(TEXT, number=1, title="Bread", path="b.jsonl")
    other = paper(LONGER, number=2, title="Bread", path="a.jsonl")
    combined = combine_papers([one, other, one])
    assert combined.abstract == LONGER
    assert combined.sources == (
        Source(path="a.jsonl", record=2, variant=None),
        Source(path="b.jsonl", record=1, variant=TEXT),
    )


def test_a_shared_alias_is_nobodys(paper):
    """An id of two papers is no alias of either; what only one of them has becomes its id."""
    one = paper(TEXT, number=1, title="Bread", aliases=("doi:10.1000/x", "both"))
    other = paper(LONGER, number=1, title="More bread", aliases=("both",))
    first, second = settle_ids([one, other])
    assert (first.id, first.aliases) == ("doi:10.1000/x", ())
    assert second.aliases == ()
    assert second.id not in ("p1", "both")
