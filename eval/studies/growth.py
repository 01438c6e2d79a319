"""Measure how time, memory and disk grow with the number of papers, stage by stage; write them as JSON.

    python eval/studies/growth.py BASE POOL QUERIES WORK [--papers N ...] [--out FILE] [--stages NAME ...]

BASE is an index of some thousand real papers, built by `rag-qa index`. From its papers and vectors the papers measured
are made (eval/studies/recombining.py), with sentences of POOL, a file or folder of papers. QUERIES holds one query a
line, or JSON Lines with `text`. WORK is a folder for the indexes, which are left there.

Each stage runs in a process of its own, so that its peak of memory is its own:

    index    `build_index` from a file, with a fake embedder; a stage for each of its steps (up to --index-up-to papers)
    store    papers, passages and vectors into SQLite, in bulk
    exact    the matrix of vectors, and the reduced vectors
    words    BM25 over words and over bigrams
    facets   what filters read
    graph    Chroma's approximate graph (up to --graph-up-to papers)
    open     a fresh process: import, open, first search
    search   milliseconds of a search with dense=auto and dense=exact, and how many of the first 20 papers both find

A million papers need 8 GB of disk and memory and about half an hour on one core. Run `search` on idle cores.
"""

import json
import resource
import shutil
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from eval.programs import parser_for
from eval.studies.recombining import Made, Recombiner
from rag_qa import build_index
from rag_qa.backends.embedding import open_embedder
from rag_qa.corpus.passages import embedding_text
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import expand_sources
from rag_qa.evaluation.provenance import describe_run
from rag_qa.evaluation.search_benchmark import read_texts
from rag_qa.index import derived
from rag_qa.index.exact import build_exact
from rag_qa.index.facets import build_facets
from rag_qa.index.integrity import passage_key
from rag_qa.index.lexical import build_lexical
from rag_qa.index.manifest import Counts, Manifest
from rag_qa.index.pairs import build_pairs
from rag_qa.index.reader import Index
from rag_qa.index.store import Store, StoredPassage
from rag_qa.index.vectors import build_vectors
from rag_qa.protocols import EmbedderSpec
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import DenseSearch, Settings
from rag_qa.testing import HashingEmbedder
from rag_qa.text.sentences import split_sentences
from rag_qa.types import Paper, Passage
from rag_qa.version import __version__

CHUNK = 5_000
DEPTH = 20
# Searches that are not counted, until everything is loaded.
WARM = 5
POOL_PAPERS = 130_000
Found = dict[str, Any]


def make_store(options: Namespace, folder: Path) -> Found:
    """Write the made papers, in bulk."""
    with closing(Store.open(options.base)) as base:
        manifest = base.manifest()
    assert manifest is not None, f"{options.base} is no index"
    store = Store.create(folder)
    made = _recombiner(options).make(options.count)
    options.started = time.perf_counter()
    passages = 0
    while some := list(islice(made, CHUNK)):
        rows = [_passages(one, manifest.embedder) for one in some]
        flat = [row for own in rows for row in own]
        store.write_vectors([row.key for row in flat], np.concatenate([one.vectors for one in some]))
        with store.transaction():
            store.write_papers(one.paper for one in some)
            store.write_passages(flat)
        passages += len(flat)
    with store.transaction():
        counts = Counts(sources=1, records=options.count, papers=options.count, passages=passages)
        store.write_manifest(
            Manifest(
                generation=1,
                rag_qa_version=__version__,
                embedder=manifest.embedder,
                passage_tokens=manifest.passage_tokens,
                counts=counts,
            )
        )
    store.close()
    return {"passages": passages}


def _passages(made: Made, embedder: EmbedderSpec) -> list[StoredPassage]:
    """Return the passages of a paper; their keys are of their texts, since search checks them."""
    paper, count = made.paper, len(made.vectors)
    cut = len(paper.abstract) // count
    texts = [paper.abstract[n * cut : (n + 1) * cut] for n in range(count)]
    return [
        StoredPassage(
            Passage(
                id=f"{paper.id}#{n + 1}", paper_id=paper.id, text=text, start=n * cut, end=n * cut + len(text)
            ),
            passage_key(embedder, embedding_text(paper.title, text)),
        )
        for n, text in enumerate(texts)
    ]


def make_index(options: Namespace, folder: Path) -> Found:
    """Build an index from a file, as `rag-qa index` does, and time its steps. Embedding is faked, and is left out."""
    source = folder.parent / "made.jsonl"
    with source.open("w", encoding="utf-8") as file:
        for made in _recombiner(options).make(options.count):
            fields = {"id", "title", "abstract", "authors", "venue", "year"}
            file.write(made.paper.model_dump_json(include=fields) + "\n")
    steps: list[tuple[str, float]] = []

    def progress(stage: str, done: int, total: int) -> None:
        if not steps or steps[-1][0] != stage:
            steps.append((stage, time.perf_counter()))

    shutil.rmtree(folder, ignore_errors=True)
    started = time.perf_counter()
    build_index([source], folder, embedder=HashingEmbedder(), progress=progress)
    ended = time.perf_counter()
    times = [started, *(at for _, at in steps[1:]), ended]
    found = {name: round(times[n + 1] - times[n], 2) for n, (name, _) in enumerate(steps)}
    return {"steps_s": found, "build_s": round(ended - started, 1)}


def make_exact(options: Namespace, folder: Path) -> Found:
    """Build the matrix and the reduced vectors."""
    with closing(Store.open(folder)) as store:
        count = store.count("passages")
        build_exact(_fresh(folder, "exact"), derived._vectors(store), count, _dimension(store), large=1)
    return {}


def make_words(options: Namespace, folder: Path) -> Found:
    """Build BM25 over words, then over bigrams."""
    with closing(Store.open(folder)) as store:
        tokens = build_lexical(_fresh(folder, "lexical"), store.papers())
    words_s = time.perf_counter() - options.started
    build_pairs(_fresh(folder, "pairs"), tokens)
    return {"words": len(tokens.numbers), "lexical_s": round(words_s, 1)}


def make_facets(options: Namespace, folder: Path) -> Found:
    """Build the facets."""
    with closing(Store.open(folder)) as store:
        build_facets(_fresh(folder, "facets"), store.papers())
    return {}


def make_graph(options: Namespace, folder: Path) -> Found:
    """Build Chroma's collection."""
    with closing(Store.open(folder)) as store:
        return {"rows": build_vectors(_fresh(folder, "chroma"), derived.chroma_rows(store))}


def first_search(options: Namespace, folder: Path) -> Found:
    """Open the index and search once."""
    embedder = open_embedder(Settings())
    index = _open(folder)
    query = read_texts(options.queries)[0]
    embedder.encode([query], role="query")
    opened = time.perf_counter()
    Retriever(index, embedder).search(query, DEPTH)
    return {"first_search_s": round(time.perf_counter() - opened, 2)}


def search(options: Namespace, folder: Path) -> Found:
    """Search with reduced vectors, and then without: the whole matrix would drive the first from the cache."""
    embedder = open_embedder(Settings())
    index = _open(folder)
    queries = read_texts(options.queries)[: options.asked + WARM]
    times: dict[str, list[float]] = {}
    found: dict[str, list[list[str]]] = {}
    ways: tuple[DenseSearch, ...] = ("auto", "exact")
    for way in ways:
        retriever = Retriever(index, embedder, dense=way)
        found[way], times[way] = [], []
        for query in queries:
            started = time.perf_counter()
            found[way].append([hit.paper.id for hit in retriever.search(query, DEPTH)])
            times[way].append((time.perf_counter() - started) * 1e3)
    pairs = list(zip(found["auto"], found["exact"], strict=True))[WARM:]
    return {
        "queries": len(pairs),
        "recall@20": round(float(np.mean([len(set(a) & set(b)) / DEPTH for a, b in pairs])), 5),
        "same_first_5": round(float(np.mean([a[:5] == b[:5] for a, b in pairs])), 4),
        "ms": {n: [round(float(v), 1) for v in np.quantile(t[WARM:], (0.5, 0.95))] for n, t in times.items()},
    }


STAGES: dict[str, Callable[[Namespace, Path], Found]] = {
    "index": make_index,
    "store": make_store,
    "exact": make_exact,
    "words": make_words,
    "facets": make_facets,
    "graph": make_graph,
    "open": first_search,
    "search": search,
}


def _recombiner(options: Namespace) -> Recombiner:
    with closing(Store.open(options.base)) as store:
        papers = {paper.id: paper for paper in store.papers()}
        first: dict[str, bytes] = {}
        for row, vector in store.passage_vectors():
            first.setdefault(row.paper_id, vector)
    vectors = np.stack([np.frombuffer(first[key], dtype=np.float32) for key in first])
    return Recombiner([papers[key] for key in first], vectors, list(_pool(options.pool)))


def _pool(source: Path) -> Iterator[str]:
    """Yield a sentence of each paper of the pool."""
    papers: list[Paper] = []
    for file in expand_sources([source]):
        papers += read_source(file, None).papers
    for number, paper in enumerate(papers[:POOL_PAPERS]):
        spans = split_sentences(paper.abstract)
        start, end = spans[number % len(spans)]
        yield paper.abstract[start:end]


def _open(folder: Path) -> Index:
    files = ExitStack()
    store = Store.open(folder)
    files.callback(store.close)
    manifest = store.manifest()
    assert manifest is not None
    return Index(store, manifest, folder / "parts", files)


def _dimension(store: Store) -> int:
    manifest = store.manifest()
    assert manifest is not None
    return manifest.embedder.dimension


def _fresh(folder: Path, part: str) -> Path:
    target = folder / "parts" / part
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    return target


def _mib(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20, 1)


def run_stage(options: Namespace) -> None:
    """Run one stage in this process, and print what was measured."""
    folder = options.work / str(options.count) / ("whole" if options.stage == "index" else "bulk")
    folder.mkdir(parents=True, exist_ok=True)
    options.started = time.perf_counter()
    found = STAGES[options.stage](options, folder)
    seconds = round(time.perf_counter() - options.started, 1)
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    parts = {part.name: _mib(part) for part in sorted((folder / "parts").glob("*"))}
    store = round((folder / "papers.sqlite3").stat().st_size / 2**20, 1)
    row = {"papers": options.count, "stage": options.stage, "seconds": seconds, "peak_mib": peak}
    print(json.dumps(row | found | {"disk_mib": {"papers.sqlite3": store, **parts}}))


def main() -> None:
    """Run every stage for every size, each in a child process."""
    parser = parser_for(__doc__ or "")
    parser.add_argument("base", type=Path)
    parser.add_argument("pool", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--papers", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--index-up-to", type=int, default=100_000)
    parser.add_argument("--graph-up-to", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=200)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--stage", choices=STAGES)
    parser.add_argument("--count", type=int)
    options = parser.parse_args()
    if options.stage:
        run_stage(options)
        return
    limits = {"index": options.index_up_to, "graph": options.graph_up_to}
    rows: list[Found] = []
    for count in options.papers:
        for stage in options.stages:
            if count > limits.get(stage, count):
                continue
            command = [sys.executable, __file__, *map(str, (options.base, options.pool, options.queries))]
            command += [
                str(options.work),
                "--stage",
                stage,
                "--count",
                str(count),
                "--asked",
                str(options.asked),
            ]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            print(done.stdout.splitlines()[-1], flush=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            if options.out:
                report = {"provenance": describe_run(), "rows": rows}
                options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
