"""Papers that pass a filter."""

import json
from contextlib import closing

import pytest

from rag_qa import build_index
from rag_qa.errors import FilterError
from rag_qa.index.reader import Index
from rag_qa.retrieval.passing import passing_papers
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Filter


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """An opened index of papers of three years."""
    folder = tmp_path_factory.mktemp("passing")
    rows = [
        {
            "id": f"p{year}",
            "title": f"On {year}",
            "abstract": f"What happened in {year} was new.",
            "year": year,
        }
        for year in (2021, 2019, 2020)
    ]
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    with closing(Index.open(folder / "index")) as opened:
        yield opened


def test_without_a_filter_every_paper_passes(index):
    """All papers come, in order of ids."""
    assert [paper.id for paper in passing_papers(index)] == ["p2019", "p2020", "p2021"]


def test_only_papers_that_pass_come(index):
    """A filter leaves the others out and keeps the order."""
    assert [paper.id for paper in passing_papers(index, Filter(since=2020))] == ["p2020", "p2021"]


def test_a_filter_that_no_paper_passes_is_an_error(index):
    """The error comes at once, before any paper is asked for."""
    with pytest.raises(FilterError, match="2030"):
        passing_papers(index, Filter(since=2030))
