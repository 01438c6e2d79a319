import json

import pytest

from rag_qa import build_index
from rag_qa.backends.agreement import remember_cosine
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.light_embedder import LightEmbedder
from rag_qa.errors import EvaluationError
from rag_qa.evaluation.start_benchmark import (
    OTHERS,
    RUNTIMES,
    StartBenchmark,
    first_line,
    import_shares,
    render,
)
from rag_qa.settings import Settings

PRINTED = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   zipimport
import time:   2000000 |    3000000 |     torch.nn
import time:    500000 |    3500000 | torch
import time:       300 |        300 | rag_qa.app
something else on stderr
"""
ABSTRACT = "Games have players. Bees dance, and the players of games are vectors."


@pytest.fixture
def index(tmp_path, save_embedder, monkeypatch):
    """An index of one paper, whose embedder is known to agree with sentence-transformers."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = save_embedder(tmp_path / "model", [ABSTRACT])
    monkeypatch.setenv("RAG_QA_EMBEDDER", str(folder))
    spec = open_embedder(Settings()).spec
    remember_cosine(folder, spec, 1.0)
    source = tmp_path / "papers.jsonl"
    source.write_text(json.dumps({"id": "a", "title": "Games", "abstract": ABSTRACT}))
    build_index([source], tmp_path / "index", embedder=LightEmbedder(folder, spec))
    return tmp_path / "index"


def test_imports_are_added_up_by_package():
    """A package's share is what its own modules take, whatever they import; what is no such line is left out."""
    shares = import_shares(PRINTED)
    assert shares["torch"] == 2.5
    assert shares[OTHERS] == 0
    assert set(shares) == {"torch", "rag_qa", "zipimport", OTHERS}


@pytest.mark.process
def test_a_fresh_process_is_timed(index):
    """The time to the first line of a search and of a quoting answer is taken in a process of its own."""
    for command in ("search", "ask"):
        assert first_line(command, "ONNX Runtime", index, "games with players") > 0


@pytest.mark.process
def test_a_process_that_fails_is_an_error(tmp_path):
    """Where the command fails, its own last line says why, and what to do."""
    with pytest.raises(EvaluationError, match=r"no finished index in .* see `rag-qa doctor"):
        first_line("search", "ONNX Runtime", tmp_path / "nowhere", "games")


def test_figures_are_rendered():
    """The lines name the medians and the ratio of each command, and the share of each package."""
    times = dict.fromkeys(RUNTIMES, (2.0, 1.0, 9.0))
    found = StartBenchmark(
        query="games",
        seconds={"search": times},
        ratios={"search": 1.0},
        imports={"ONNX Runtime": {"numpy": 0.3, "rag_qa": 0.1, OTHERS: 0.0}},
        provenance={},
    )
    assert render(found).splitlines() == [
        "search, seconds to the first line: ONNX Runtime 2.00, sentence-transformers 2.00; ratio 1.00",
        "imports with ONNX Runtime, 0.40 s: numpy 75%, rag_qa 25%",
    ]
