"""`rag-qa papers`: what an index holds, and what became one and why."""

import json

import pytest

TEXT = "We let forty loaves rise in the dark and forty in the light, and found no difference in their height."
RECORDS = [
    {
        "id": "a",
        "title": "Light and the rise of bread",
        "abstract": TEXT,
        "doi": "10.5555/a",
        "venue": "Loaf",
        "year": 2021,
    },
    {
        "id": "b",
        "title": "Light and the rise of bread",
        "abstract": TEXT + " So there.",
        "arxiv": "1901.00001",
        "year": 2019,
    },
    {
        "id": "c",
        "title": "RETRACTED: On crumbs",
        "abstract": "Crumbs were counted on nine tables of one household.",
    },
]


@pytest.fixture(autouse=True)
def index(tmp_path, monkeypatch, put_index):
    """A working directory with the index of three records."""
    monkeypatch.chdir(tmp_path)
    put_index(RECORDS, tmp_path)


def test_papers_are_listed_with_their_status(run):
    """Every paper stands on a line, a retracted one is said to be so."""
    code, out, _ = run("papers")
    assert code == 0
    assert [line[:16] for line in out.splitlines()] == ["[1] Light and th", "[2] RETRACTED: O"]


def test_what_became_one_is_reported_with_the_reason(run):
    """With --merged only papers of several records are listed: each record, why it was merged, and other versions."""
    _, out, _ = run("papers", "--merged")
    assert "[2]" not in out
    assert "(merged: the same title" in out
    assert "(also arXiv 2019)" in out
    (paper,) = json.loads(run("papers", "--merged", "--json")[1])
    assert [record["fate"] for record in paper["records"]] == ["added", "merged"]
    assert (paper["year"], paper["versions"][0]["year"]) == (2021, 2019)


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [(["--status", "retracted"], ["c"]), (["--without", "retracted"], ["a"]), (["--year", "2019"], ["a"])],
)
def test_papers_are_filtered(run, arguments, ids):
    """Filters are those of search; a year is that of any version."""
    assert [paper["id"] for paper in json.loads(run("papers", "--json", *arguments)[1])] == ids


def test_a_filter_that_nothing_passes_is_reported(run):
    """A filter without papers ends with status 1."""
    code, _, err = run("papers", "--status", "concern")
    assert code == 1
    assert "marked expression of concern" in err
