"""What a benchmark of indexing measures."""

import json

import pytest

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.index_benchmark import bench_index
from rag_qa.settings import Settings


def progress(stage, done, total):
    """Take progress."""


@pytest.mark.model
def test_building_is_measured_against_plain_encoding(tmp_path):
    """Both sides take time over the same passages, whose vectors nearly agree; the ratio is theirs."""
    lines = [
        {"id": f"p{n}", "title": f"On {n}", "abstract": f"Soup number {n} is salted."} for n in range(12)
    ]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = bench_index([tmp_path], Settings(), papers=8, runs=1, progress=progress)
    assert (found.papers, found.passages, len(found.building_s), len(found.encoding_s)) == (8, 8, 1, 1)
    assert found.ratio == pytest.approx(found.encoding_s[0] / found.building_s[0])
    assert found.embedding_ratio == pytest.approx(found.encoding_s[0] / found.embedding_s[0])
    assert found.cosine > 0.98  # passages are in 8 bits


def test_sources_without_papers_are_an_error(tmp_path):
    """There is nothing to measure without papers."""
    (tmp_path / "papers.jsonl").write_text('{"id": "a", "title": "No abstract"}\n')
    with pytest.raises(EvaluationError, match="no paper"):
        bench_index([tmp_path], Settings(), papers=8, progress=progress)
