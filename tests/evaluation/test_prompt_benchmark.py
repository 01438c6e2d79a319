"""What a benchmark of reading prompts measures."""

import pytest

from rag_qa.evaluation.prompt_benchmark import bench_prompt
from rag_qa.settings import Settings


@pytest.mark.writer
def test_reading_is_measured_against_plain_llama():
    """Each run times all three readings of a prompt; the ratios are of their seconds."""
    found = bench_prompt(Settings(), runs=1, progress=lambda stage, done, total: None)
    assert len(found.reading_s) == len(found.plain_s) == len(found.kept_s) == 1
    assert found.tokens > 200
    assert found.ratio == pytest.approx(found.plain_s[0] / found.reading_s[0])
    assert found.kept_ratio == pytest.approx(found.plain_s[0] / found.kept_s[0])
