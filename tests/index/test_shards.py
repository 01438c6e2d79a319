"""Several indexes searched as one give what one index of all papers gives."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_qa import build_index
from rag_qa.errors import PaperIndexError
from rag_qa.index.reader import Index
from rag_qa.index.shards import Shards
from rag_qa.retrieval.searching import Retriever
from rag_qa.testing import HashingEmbedder

WORDS = "game player vector soup water onion bee flower dance river stone bread oven chess".split()


def papers(count, chance):
    return [
        {
            "id": f"p{n:02}",
            "title": " ".join(chance.choices(WORDS, k=2)),
            "abstract": " ".join(chance.choices(WORDS, k=chance.randrange(6, 30))) + f" and also {n} things.",
        }
        for n in range(count)
    ]


def build(folder, records):
    folder.mkdir()
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, records)))
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    return Index.open(folder / "index")


def ranked(index, query, k):
    hits = Retriever(index, HashingEmbedder()).search(query, k)
    return {hit.paper.id: (hit.score, hit.components) for hit in hits}


@settings(max_examples=8)
@given(
    seed=st.integers(0, 1000),
    owners=st.lists(st.integers(0, 2), min_size=6, max_size=24).filter(lambda o: set(o) == {0, 1, 2}),
    query=st.lists(st.sampled_from([*WORDS, "unheard"]), min_size=1, max_size=5).map(" ".join),
)
def test_shards_score_as_one_index(tmp_path_factory, seed, owners, query):
    """However the papers are dealt out, every paper has the score and the components that it has in one index."""
    folder = tmp_path_factory.mktemp("shards")
    records = papers(len(owners), random.Random(seed))
    whole = build(folder / "whole", records)
    parts = [[r for r, owner in zip(records, owners, strict=True) if owner == n] for n in range(3)]
    shards = Shards([build(folder / f"shard{n}", part) for n, part in enumerate(parts)])
    try:
        wanted, got = ranked(whole, query, len(records)), ranked(shards, query, len(records))
        assert got.keys() == wanted.keys()
        for key, (score, components) in wanted.items():
            assert got[key][0] == pytest.approx(score, abs=1e-4)
            assert got[key][1] == pytest.approx(components, abs=1e-4)
    finally:
        shards.close()
        whole.close()


def test_a_paper_in_two_shards_is_told(tmp_path):
    """Shards that share a paper are refused, with its id."""
    records = papers(4, random.Random(1))
    opened = [build(tmp_path / "a", records[:3]), build(tmp_path / "b", records[2:])]
    with pytest.raises(PaperIndexError, match="p02 is in two shards"):
        Shards(opened)
    for index in opened:
        index.close()
