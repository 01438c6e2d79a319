"""Which papers pass a filter, and what is said where none does."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa import Filter, Paper, Source
from rag_qa.errors import FilterError
from rag_qa.index.facets import Facets, build_facets
from rag_qa.retrieval.filters import matching
from rag_qa.types import Version

PAPERS = [
    Paper(
        id="a", abstract="A.", authors=("Ian M. Gemp", "Brian McWilliams"), venue="NeurIPS 2020", year=2020
    ),
    Paper(id="b", abstract="B.", authors=("Bernhard Schölkopf",), venue="Findings of ACL", year=2019),
    Paper(id="c", abstract="C.", authors=("Søren Kierkegaard", "Li Wei"), venue="ACL", year=2021),
    Paper(
        id="d",
        abstract="D.",
        authors=("Laurens van der Maaten",),
        sources=(Source(path="/x/old.bib", record=1),),
    ),
    Paper(id="e", abstract="E.", authors=("Ines Gemp",), venue="Journal of Soups", year=2019),
    Paper(
        id="f",
        abstract="F.",
        sources=(
            Source(path="/y/[2020] refs/a.ris", record=1),
            Source(path="/y/what?/c.ris", record=1),
            Source(path="/y/caf\u00e9.ris", record=1),
        ),
    ),
]
MARKED = [
    Paper(
        id="a", abstract="A.", year=2021, venue="Soup Letters", versions=(Version(year=2019, venue="arXiv"),)
    ),
    Paper(id="b", abstract="B.", year=2020, status="retracted"),
    Paper(id="c", abstract="C.", status="preprint", venue="arXiv"),
    Paper(id="d", abstract="D.", status="corrected", versions=(Version(year=2021),)),
]


@pytest.fixture(scope="module")
def facets(tmp_path_factory):
    """The facets of five papers."""
    folder = tmp_path_factory.mktemp("facets")
    build_facets(folder, PAPERS)
    return Facets(folder)


def passing(facets, **fields):
    return "".join(PAPERS[place].id for place in matching(Filter(**fields), facets))


@pytest.mark.parametrize(
    ("author", "ids"),
    [
        ("Ian Gemp", "a"),
        ("I. Gemp", "ae"),
        ("Gemp", "ae"),
        ("gemp, ian", "a"),
        ("Gemp I", "ae"),
        ("I. M. Gemp", "a"),
        ("Bernhard Scholkopf", "b"),
        ("SCHÖLKOPF", "b"),
        ("Soren Kierkegaard", "c"),
        ("van der Maaten", "d"),
        ("L. Maaten", "d"),
        ("Wei", "c"),
    ],
)
def test_authors_are_known_without_accents_and_by_initials(facets, author, ids):
    """An author may be named by family name, with initials, family name first, and without accents."""
    assert passing(facets, authors=(author,)) == ids


@pytest.mark.parametrize("author", ["Ivan Gemp", "Ian", "Gem", "K. Schölkopf", "…", "Gemp Ian Marc"])
def test_other_people_are_not(facets, author):
    """Another given name, a given name alone or a part of a name is another person, or nobody."""
    with pytest.raises(FilterError, match="author"):
        passing(facets, authors=(author,))


def test_nearest_names_are_told(facets):
    """The error for an unknown author names authors with the same family name or a similar spelling."""
    with pytest.raises(FilterError, match=r"Ian M\. Gemp"):
        passing(facets, authors=("Ina Gemp",))
    with pytest.raises(FilterError, match="Bernhard Schölkopf"):
        passing(facets, authors=("Bernhard Schoelkopf",))


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"since": 2020}, "ac"),
        ({"until": 2019}, "be"),
        ({"since": 2019, "until": 2020}, "abe"),
        ({"venues": ("ACL",)}, "c"),
        ({"venues": ("Findings of ACL", "acl")}, "bc"),
        ({"venues": ("nips",)}, "a"),
        ({"venues": ("soups",)}, "e"),
        ({"authors": ("Gemp", "McWilliams")}, "a"),
        ({"sources": ("old",)}, "d"),
        ({"sources": ("*.BIB",)}, "d"),
        ({"sources": ("x/*.bib",)}, "d"),
        ({"sources": ("[2020] refs",)}, "f"),
        ({"sources": ("[2020] refs/*.ris",)}, "f"),
        ({"sources": ("what?",)}, "f"),
        ({"sources": ("* refs/[ab].ris",)}, "f"),
        ({"sources": ("./cafe\u0301",)}, "f"),
        ({"authors": ("Gemp",), "since": 2020}, "a"),
        ({}, "abcdef"),
    ],
)
def test_fields_restrict_together(facets, fields, ids):
    """Years include their ends, venues and sources are any of those named, authors all of them, fields all at once."""
    assert passing(facets, **fields) == ids


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"since": 2030}, "2019 to 2021"),
        ({"venues": ("Nurips",)}, "NeurIPS 2020"),
        ({"sources": ("new",)}, "/x/old.bib"),
        ({"authors": ("Gemp", "Schölkopf")}, "by Schölkopf"),
    ],
)
def test_a_filter_without_papers_names_what_there_is(facets, fields, message):
    """A filter that nothing passes is an error that names the nearest values, or the condition that fails."""
    with pytest.raises(FilterError, match=message):
        passing(facets, **fields)


@given(st.text(max_size=30))
def test_any_text_is_an_author_or_an_error(facets, text):
    """No name, however odd, does more than pass or raise FilterError."""
    with suppress(FilterError):
        assert passing(facets, authors=(text,))


def test_no_papers_have_no_values(tmp_path):
    """The facets of an empty index say that there is nothing to filter by."""
    build_facets(tmp_path, [])
    for fields in ({"authors": ("Gemp",)}, {"venues": ("ACL",)}, {"since": 2020}):
        with pytest.raises(FilterError, match="no"):
            matching(Filter(**fields), Facets(tmp_path))


def test_a_filter_says_what_it_is():
    """A filter in words names its authors, venues, sources and years."""
    wanted = Filter(authors=("Gemp", "Wei"), venues=("ACL",), sources=("old.bib",), since=2019, until=2020)
    assert wanted.text == "by Gemp and Wei, at ACL, in old.bib, from 2019 to 2020"
    assert Filter(since=2019, until=2019).text == "from 2019"
    assert (Filter(since=2019).text, Filter(until=2019).text, Filter().text) == (
        "since 2019",
        "until 2019",
        "",
    )


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"since": 2019, "until": 2019}, "a"),
        ({"since": 2021}, "ad"),
        ({"venues": ("arXiv",)}, "ac"),
        ({"venues": ("Soup Letters",), "until": 2019}, "a"),
        ({"statuses": ("retracted",)}, "b"),
        ({"statuses": ("retracted", "preprint")}, "bc"),
        ({"without": ("retracted", "expression of concern")}, "acd"),
        ({"statuses": ("corrected",), "since": 2021}, "d"),
    ],
)
def test_versions_and_statuses_restrict(tmp_path, fields, ids):
    """Years and venues of any version pass; statuses are any of those named, and none of those left out."""
    build_facets(tmp_path, MARKED)
    places = matching(Filter(**fields), Facets(tmp_path))
    assert "".join(MARKED[place].id for place in places) == ids


def test_a_status_that_no_paper_has_is_told(tmp_path):
    """Where no paper is so marked, or every one, the condition is named."""
    build_facets(tmp_path, MARKED)
    with pytest.raises(FilterError, match="marked expression of concern"):
        matching(Filter(statuses=("expression of concern",)), Facets(tmp_path))
    with pytest.raises(FilterError, match="not marked retracted"):
        matching(Filter(since=2020, until=2020, without=("retracted",)), Facets(tmp_path))
