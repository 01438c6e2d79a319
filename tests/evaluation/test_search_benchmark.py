"""What a benchmark of searching measures."""

import gzip
import json

import pytest

from rag_qa import Settings, build_index
from rag_qa.errors import EvaluationError
from rag_qa.evaluation.search_benchmark import bench_search, read_texts


def progress(stage, done, total):
    """Take progress."""


@pytest.mark.model
def test_searching_is_measured_against_the_plain_model(tmp_path):
    """Every figure is taken, both searches find the same on a small index, and memory is a difference."""
    lines = [
        {"id": f"p{n}", "title": f"On {n}", "abstract": f"Soup number {n} is salted."} for n in range(12)
    ]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", settings=Settings())
    found = bench_search(tmp_path / "index", ["salted soup", "number 3"], Settings(), progress=progress)
    assert (found.queries, found.graph_overlap) == (2, 1.0)
    assert 0 < found.embedding_ms[0] <= found.embedding_ms[1]
    assert found.exact_ms[0] > found.embedding_ms[0] / 2
    assert found.ratio > 0
    assert found.embedding_ratio > 0
    assert min(found.plain_embedding_ms[0], found.product_ms[0], found.bm25_ms[0]) > 0
    assert len(found.loading_s) == len(found.first_search_s) == 3
    assert 0 < found.memory_mib < 1500
    assert found.plain_memory_mib > 0


def test_no_queries_are_an_error(tmp_path):
    """There is nothing to measure without a query."""
    with pytest.raises(EvaluationError, match="no query"):
        bench_search(tmp_path, [], Settings(), progress=progress)


def test_queries_are_read_from_lines_and_records(tmp_path):
    """Queries are one a line, or as `text` of JSON Lines, plain or gzipped."""
    (tmp_path / "queries.txt").write_text("soup\n\nbees\n")
    assert read_texts(tmp_path / "queries.txt") == ["soup", "bees"]
    with gzip.open(tmp_path / "queries.jsonl.gz", "wt") as stream:
        stream.write('{"_id": "1", "text": "soup"}\n{"_id": "2"}\n')
    assert read_texts(tmp_path / "queries.jsonl.gz") == ["soup"]
