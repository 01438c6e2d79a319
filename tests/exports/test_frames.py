"""Hits and answers in notebooks: as HTML, and as tables if pandas is installed."""

import json
import sys

import pytest

from rag_qa import Assistant, Hits, Settings, build_index
from rag_qa.backends.locating import STARTER
from rag_qa.errors import ExportError
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Hit, Passage


@pytest.fixture
def hits(make_paper):
    """Two hits, one of a paper without a year."""
    papers = [make_paper(id="a", year=2020, authors=("Wilma Weaver",)), make_paper(id="b")]
    return Hits(
        Hit(
            paper=paper,
            passage=Passage(id="x", paper_id=paper.id, text="We let loaves rise.", start=0, end=19),
            score=1 / rank,
            rank=rank,
            components={},
        )
        for rank, paper in enumerate(papers, 1)
    )


def test_hits_are_a_list(hits):
    """Hits equal a list of the same, and a slice of them is shown in a notebook too."""
    assert hits == list(hits)
    assert isinstance(hits[:1], Hits)
    assert hits[0].paper.id == "a"
    assert "On bread" in hits[:1]._repr_html_()


def test_hits_become_a_table(hits):
    """A row a hit; years stay whole numbers beside a missing one."""
    table = hits.to_dataframe()
    assert list(table["paper_id"]) == ["a", "b"]
    assert table["authors"][0] == ["Wilma Weaver"]
    assert table["year"][0] == 2020
    assert table["year"].isna()[1]
    assert Hits().to_dataframe().columns.tolist() == table.columns.tolist()


def test_an_answer_becomes_a_table(make_paper, make_answer):
    """A row for each citation of each sentence; an abstention has none."""
    answer = make_answer(make_paper(id="a"), make_paper(id="b"))
    table = answer.to_dataframe()
    assert list(table["paper_id"]) == ["a", "b"]
    assert set(table["sentence"]) == {1}
    assert table["quote"][0] == make_paper().abstract[table["start"][0] : table["end"][0]]
    assert len(make_answer().to_dataframe()) == 0


def test_values_show_themselves(make_paper, make_answer):
    """An answer and a paper are HTML in a notebook."""
    assert "Does light matter?" in make_answer(make_paper())._repr_html_()
    assert "forty loaves" in make_paper()._repr_html_()


def test_without_pandas_the_error_says_what_to_do(hits, monkeypatch):
    """If pandas is not installed, the message names the command that installs it."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ExportError, match="pip install pandas"):
        hits.to_dataframe()


def test_what_an_assistant_finds_are_hits(tmp_path, make_paper):
    """Searching, and looking for similar papers, give hits that a notebook shows."""
    records = [make_paper(id=name, title=f"On bread {name}").model_dump(exclude={"sources"}) for name in "ab"]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, records)))
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", embedder=HashingEmbedder())
    settings = Settings(model=STARTER, style="quote")
    with Assistant.open(tmp_path / "index", settings=settings, embedder=HashingEmbedder()) as assistant:
        assert "On bread" in assistant.search("bread")._repr_html_()
        assert isinstance(assistant.similar(assistant.search("bread")[0].paper.id), Hits)
