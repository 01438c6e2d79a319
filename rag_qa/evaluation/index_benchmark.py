"""Measure how fast an index is built, against sentence-transformers on the same texts and cores in the same run."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np

from rag_qa.backends.embedding import open_embedder, open_plain_model
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import expand_sources
from rag_qa.errors import EvaluationError
from rag_qa.evaluation.plain import read_passages
from rag_qa.evaluation.provenance import describe_run
from rag_qa.index.builder import build_index
from rag_qa.index.changes import Progress
from rag_qa.settings import Settings
from rag_qa.types import Paper, Value


class IndexBenchmark(Value):
    """Seconds to build an index, to embed its passages, and to encode them with sentence-transformers, for each run.

    `ratio` is how many times faster building is than plain encoding, `embedding_ratio` how many times faster our
    embedding alone is (medians over the runs). `cosine` is the mean cosine of a passage's two vectors.
    """

    papers: int
    passages: int
    building_s: tuple[float, ...]
    embedding_s: tuple[float, ...]
    encoding_s: tuple[float, ...]
    ratio: float
    embedding_ratio: float
    cosine: float
    provenance: Mapping[str, Any]


def bench_index(
    sources: Sequence[str | Path],
    settings: Settings,
    *,
    papers: int,
    runs: int = 3,
    seed: int = 0,
    progress: Progress,
) -> IndexBenchmark:
    """Build an index of papers drawn from the sources, embed its passages, and encode them in plain float32, in turns.

    Building is all of it: read, merge, cut, embed, store, Chroma, BM25. Loading the models is left out of both times.
    `progress` is called with (stage, done, total). Raises EvaluationError if the sources hold no paper.
    """
    drawn = _draw(sources, papers, seed)
    embedder, plain = open_embedder(settings), open_plain_model(settings)
    embedder.encode(["warm"], role="document")
    plain.encode(["warm"], show_progress_bar=False)
    building, embedding, encoding = [], [], []
    for run in range(runs):
        progress("measuring", run, runs)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "papers.jsonl"
            source.write_text("".join(f"{paper.model_dump_json()}\n" for paper in drawn), encoding="utf-8")
            started = time.perf_counter()
            build_index([source], Path(folder) / "index", settings=settings, embedder=embedder)
            building.append(time.perf_counter() - started)
            texts, vectors = read_passages(Path(folder) / "index")
        started = time.perf_counter()
        embedder.encode(texts, role="document")
        embedding.append(time.perf_counter() - started)
        started = time.perf_counter()
        expected = plain.encode(texts, show_progress_bar=False)
        encoding.append(time.perf_counter() - started)
    progress("measuring", runs, runs)
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    return IndexBenchmark(
        papers=len(drawn),
        passages=len(texts),
        building_s=tuple(building),
        embedding_s=tuple(embedding),
        encoding_s=tuple(encoding),
        ratio=_speed(encoding, building),
        embedding_ratio=_speed(encoding, embedding),
        cosine=float((vectors * expected).sum(axis=1).mean()),
        provenance=describe_run() | {"embedder": embedder.spec.model_dump()},
    )


def _speed(plain: Sequence[float], ours: Sequence[float]) -> float:
    return median(p / o for p, o in zip(plain, ours, strict=True))


def _draw(sources: Sequence[str | Path], papers: int, seed: int) -> list[Paper]:
    """Return papers drawn at random from all that the sources hold."""
    held = [paper for file in expand_sources(sources) for paper in read_source(file, None).papers]
    if not held:
        raise EvaluationError("the sources hold no paper; name those of an index that you want to build")
    return Random(seed).sample(held, min(papers, len(held)))
