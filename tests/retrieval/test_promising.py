"""Searching a large index by reduced vectors finds what a scan of all vectors finds."""

import json
import random

import numpy as np
import pytest

from rag_qa import build_index
from rag_qa.index.checksums import seal
from rag_qa.index.reader import Index
from rag_qa.index.reduced import build_reduced
from rag_qa.retrieval import promising
from rag_qa.retrieval.searching import Retriever
from rag_qa.testing import HashingEmbedder

WORDS = [
    a + b for a in "ba ke li mo nu ra se ti vo zu".split() for b in "dar fen gol hix jum pel tam".split()
]
PAPERS = 300


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """An index of papers in made-up words, with reduced vectors of a quarter of the components."""
    folder = tmp_path_factory.mktemp("large")
    chance = random.Random(8)
    records = [
        {
            "id": f"p{n:03}",
            "title": " ".join(chance.sample(WORDS, 3)),
            "abstract": f"{' '.join(chance.sample(WORDS, 12))}.",
        }
        for n in range(PAPERS)
    ]
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, records)))
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    opened = Index.open(folder / "index")
    parts = folder / "index" / "derived" / "1" / "exact"
    build_reduced(parts, np.asarray(opened.exact.vectors), np.load(parts / "starts.npy"), components=16)
    seal(parts)
    yield opened
    opened.close()


@pytest.fixture
def few(monkeypatch):
    """Few papers are left for exact scores."""
    monkeypatch.setattr(promising, "LEFT", 60)
    monkeypatch.setattr(promising, "CONSIDERED", 120)
    monkeypatch.setattr(promising, "FIRST", 20)


def found(index, dense, query, k=5, **restricted):
    hits = Retriever(index, HashingEmbedder(), dense=dense).search(query, k, **restricted)
    return [(hit.paper.id, hit.score, hit.components) for hit in hits]


def queries():
    chance = random.Random(9)
    return [" ".join(chance.sample(WORDS, 4)) for _ in range(25)]


def test_the_same_papers_and_scores_are_found(index, few):
    """The first papers, their scores and components are those of the exact search."""
    for query in queries():
        assert found(index, "auto", query) == found(index, "exact", query)


def test_a_filter_is_kept(index, few):
    """Among the papers that pass a filter, the same are found too."""
    passing = np.arange(0, PAPERS, 2)
    for query in queries():
        assert found(index, "auto", query, passing=passing) == found(index, "exact", query, passing=passing)


def test_few_papers_get_exact_scores(index, few, monkeypatch):
    """Only a part of the papers is scored exactly, and with `exact` all are."""
    scored = []
    monkeypatch.setattr(
        "rag_qa.retrieval.searching.mean_of_max_scaled",
        lambda components, *weights: scored.append(len(components["dense"])) or components["dense"],
    )
    for dense in ("auto", "exact"):
        found(index, dense, queries()[0])
    assert scored[0] < PAPERS / 2
    assert scored[-1] == PAPERS


def test_papers_like_one_are_found_too(index, few):
    """The papers most similar to a paper are those of the exact search."""
    paper = index.paper("p007")
    auto, exact = (
        [hit.paper.id for hit in Retriever(index, HashingEmbedder(), dense=dense).similar(paper, 5)]
        for dense in ("auto", "exact")
    )
    assert auto == exact
    assert "p007" not in auto


def test_nothing_is_lost_if_no_paper_matches(index, few):
    """A query of unknown words is answered by similarity alone, as in the exact search."""
    assert found(index, "auto", "xyzzy plugh") == found(index, "exact", "xyzzy plugh")
