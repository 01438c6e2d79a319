"""Which records became one paper, and why."""

import json
from contextlib import closing

import pytest

from rag_qa import build_index
from rag_qa.index.merged import merged_fates
from rag_qa.index.reader import Index
from rag_qa.testing import HashingEmbedder

TEXT = "We let forty loaves rise in the dark and forty in the light, and found no difference in their height."
RECORDS = [
    {"id": "a", "title": "Light and the rise of bread", "abstract": TEXT, "doi": "10.5555/a"},
    {"id": "b", "title": "Light and the rise of bread", "abstract": f"{TEXT} So there."},
    {"id": "c", "title": "On crumbs", "abstract": "Crumbs were counted on nine tables of one household."},
]


@pytest.fixture
def index(tmp_path):
    """An opened index of three records, two of one paper."""
    source = tmp_path / "papers.jsonl"
    source.write_text("\n".join(map(json.dumps, RECORDS)))
    build_index([source], tmp_path / "index", embedder=HashingEmbedder())
    with closing(Index.open(tmp_path / "index")) as opened:
        yield opened


def test_the_first_record_was_added_and_the_others_merged_for_a_reason(index):
    """Each paper has a fate for each of its records, in their order; all but the first have a reason."""
    papers = list(index.papers())
    fates = {paper.id: own for paper, own in zip(papers, merged_fates(index, papers), strict=True)}
    assert [(fate.record, fate.fate, bool(fate.reason)) for fate in fates["a"]] == [
        (1, "added", False),
        (2, "merged", True),
    ]
    assert [(fate.record, fate.fate) for fate in fates["c"]] == [(3, "added")]
    assert "the same title" in fates["a"][1].reason


def test_only_the_papers_asked_for_have_fates(index):
    """No paper, no fates."""
    assert merged_fates(index, []) == []
