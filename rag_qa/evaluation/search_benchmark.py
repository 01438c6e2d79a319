"""Measure how fast an index is opened and searched, against the libraries underneath in the same run."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag_qa.answering.assistant import Assistant
from rag_qa.backends.embedding import open_embedder, open_plain_model
from rag_qa.errors import EvaluationError
from rag_qa.evaluation.plain import PlainSearch, PlainTimes, read_passages
from rag_qa.evaluation.provenance import describe_run
from rag_qa.index.changes import Progress
from rag_qa.protocols import Embedder
from rag_qa.settings import DenseSearch, Settings
from rag_qa.text.lines import read_json_lines, read_lines
from rag_qa.types import Value

COLD_RUNS = 3
DEPTH = 20


class SearchBenchmark(Value):
    """Milliseconds (median, 95th percentile) to embed a query, to search exactly and to search Chroma's graph, warm.

    The same with plain libraries: `plain_embedding_ms` by sentence-transformers, `product_ms` to multiply with all
    vectors in numpy and take the best, `bm25_ms` to rank by bm25s. `ratio` is how many times faster the exact search
    is than these three together, `embedding_ratio` how many times faster our embedding is (medians over the queries).
    `graph_overlap` is the share of the first 20 papers that both searches find. `loading_s` are the seconds to import
    and load the plain model and embed a query, `first_search_s` the seconds to open the index and search, each in a
    fresh process. `plain_memory_mib` and `memory_mib` are the resident memory of these two.
    """

    queries: int
    embedding_ms: tuple[float, float]
    exact_ms: tuple[float, float]
    graph_ms: tuple[float, float]
    plain_embedding_ms: tuple[float, float]
    product_ms: tuple[float, float]
    bm25_ms: tuple[float, float]
    ratio: float
    embedding_ratio: float
    graph_overlap: float
    loading_s: tuple[float, ...]
    first_search_s: tuple[float, ...]
    plain_memory_mib: float
    memory_mib: float
    provenance: Mapping[str, Any]


def bench_search(
    index: Path, queries: Sequence[str], settings: Settings, *, progress: Progress
) -> SearchBenchmark:
    """Time a first search and loading the plain model in fresh processes, then searches in this one.

    In this process each query is embedded alone, searched exactly, searched through Chroma's graph, and searched by
    plain libraries, in this order.
    `progress` is called with (stage, done, total). Raises EvaluationError if there is no query.
    """
    if not queries:
        raise EvaluationError(
            "there is no query to search for; give a file with one a line, or BEIR's queries.jsonl"
        )
    cold = [(_cold("plain", index, queries[0]), _cold("search", index, queries[0])) for _ in range(COLD_RUNS)]
    embedder = open_embedder(settings)
    opened = {name: _open(index, settings, name, embedder) for name in ("exact", "hnsw")}
    plain = PlainSearch(open_plain_model(settings), *read_passages(index))
    plain.time(queries[0], DEPTH)
    for assistant in opened.values():
        assistant.search(queries[0], k=DEPTH)
    embedding: list[float] = []
    plainly: list[PlainTimes] = []
    searching: dict[str, list[float]] = {name: [] for name in opened}
    found: dict[str, list[list[str]]] = {name: [] for name in opened}
    for done, query in enumerate(queries, 1):
        started = time.perf_counter()
        embedder.encode([query], role="query")
        embedding.append(time.perf_counter() - started)
        for name, assistant in opened.items():
            started = time.perf_counter()
            hits = assistant.search(query, k=DEPTH)
            searching[name].append(time.perf_counter() - started)
            found[name].append([hit.paper.id for hit in hits])
        plainly.append(plain.time(query, DEPTH))
        progress("searching", done, len(queries))
    shared = [len(set(a) & set(b)) / len(a) for a, b in zip(found["exact"], found["hnsw"], strict=True) if a]
    for assistant in opened.values():
        assistant.close()
    plain_embedding, product, bm25 = zip(*plainly, strict=True)
    return SearchBenchmark(
        queries=len(queries),
        embedding_ms=_quantiles(embedding),
        exact_ms=_quantiles(searching["exact"]),
        graph_ms=_quantiles(searching["hnsw"]),
        plain_embedding_ms=_quantiles(plain_embedding),
        product_ms=_quantiles(product),
        bm25_ms=_quantiles(bm25),
        ratio=_speed([sum(times) for times in plainly], searching["exact"]),
        embedding_ratio=_speed(plain_embedding, embedding),
        graph_overlap=float(np.mean(shared)) if shared else 1.0,
        loading_s=tuple(plain["seconds"] for plain, _ in cold),
        first_search_s=tuple(first["seconds"] for _, first in cold),
        plain_memory_mib=max(plain["rss"] for plain, _ in cold),
        memory_mib=max(first["rss"] for _, first in cold),
        provenance=describe_run(),
    )


def read_texts(path: Path) -> list[str]:
    """Return the queries of a file: `text` of each line of JSON Lines, else the lines. Raises EvaluationError."""
    if ".jsonl" in path.suffixes:
        return [
            record["text"]
            for _, record in read_json_lines(path, EvaluationError)
            if isinstance(record.get("text"), str)
        ]
    return [text for _, text in read_lines(path, EvaluationError)]


def _open(index: Path, settings: Settings, dense: DenseSearch, embedder: Embedder) -> Assistant:
    chosen = settings.model_copy(update={"dense": dense, "style": "quote"})
    return Assistant.open(index, settings=chosen, embedder=embedder)


def _quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile in milliseconds."""
    median, p95 = np.quantile(seconds, (0.5, 0.95)) * 1e3
    return float(median), float(p95)


def _speed(plain: Sequence[float], ours: Sequence[float]) -> float:
    return float(np.median(np.divide(plain, ours)))


def _cold(what: str, index: Path, query: str) -> dict[str, float]:
    command = [sys.executable, "-m", "rag_qa.evaluation.search_benchmark", what, str(index), query]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EvaluationError(
            f"a process that was to be timed failed ({last}); see `rag-qa doctor --index {index}`"
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _main(what: str, index: str, query: str) -> None:
    """Time one thing in this fresh process, imports included, and print seconds and resident MiB."""
    started = time.perf_counter()
    settings = Settings(style="quote")
    held: object  # what is let go of before memory is measured would not count
    if what == "plain":
        held = model = open_plain_model(settings)
        model.encode([query], show_progress_bar=False)
    else:
        held = assistant = Assistant.open(index, settings=settings)
        assistant.search(query)
    seconds = time.perf_counter() - started
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    print(json.dumps({"seconds": seconds, "rss": pages * 4096 / 2**20}))
    del held


if __name__ == "__main__":
    _main(*sys.argv[1:])
