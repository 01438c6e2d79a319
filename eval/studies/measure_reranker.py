"""Measure whether reranking by the language model's likelihood helps search: the same questions, before and after.

    python eval/studies/measure_reranker.py INDEX QUERIES.jsonl QRELS.tsv [--questions 50] [--depth 10]

Prints recall@5 and MRR@10 of the search as it is, of pure reranking and of two fixed mixtures of both scores (each
scaled to 0–1 over a question's hits), with paired bootstrap intervals (95%) of the differences to the search. Also
prints the reranker's median seconds a question. The figures come after every ten questions. `--reranker NAME` takes a
cross-encoder instead. The starter model takes about 8 s a question on two cores.
"""

import random
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from eval.programs import parser_for, read_rows
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.reranking import open_reranker
from rag_qa.evaluation.retrieval_runs import retrieval_scores
from rag_qa.evaluation.significance import paired_interval
from rag_qa.index.reader import Index
from rag_qa.retrieval.reranking import text_of
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings

SHARES = {"reranked": 1.0, "half and half": 0.5, "a quarter reranker": 0.25}


def scaled(values: list[float]) -> np.ndarray:
    """Return the values with the lowest at 0 and the highest at 1."""
    array = np.array(values)
    shares: np.ndarray = (array - array.min()) / (np.ptp(array) or 1.0)
    return shares


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("index", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("qrels", type=Path)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--depth", type=int, default=10)
    parser.add_argument("--reranker", default="model")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = Settings(reranker=options.reranker)
    index = Index.open(options.index)
    retriever = Retriever(index, open_embedder(settings))
    reranker = open_reranker(settings)
    assert reranker is not None
    gold: dict[str, set[str]] = defaultdict(set)
    for line in options.qrels.read_text("utf-8").splitlines()[1:]:
        query, paper, grade = line.split("\t")
        if int(grade) > 0:
            gold[query] |= index.resolve([paper]) or {paper}
    rows = [row for row in read_rows(options.queries) if gold[row["id"]]]
    rows = random.Random(options.seed).sample(rows, min(options.questions, len(rows)))
    figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
    seconds: list[float] = []
    for row in rows:
        hits = retriever.search(row["text"], options.depth)
        start = time.perf_counter()
        likelihoods = list(reranker.score(row["text"], [text_of(hit) for hit in hits]))
        seconds.append(time.perf_counter() - start)
        first, second = scaled([hit.score for hit in hits]), scaled(likelihoods)
        for name, share in ({"search": 0.0} | SHARES).items():
            order = np.argsort(-(share * second + (1 - share) * first), kind="stable")
            ranking = [hits[n].paper.id for n in order]
            scores = retrieval_scores(ranking, dict.fromkeys(gold[row["id"]], 1), recalls=[5], k=10)
            figures[name].append((scores["recall@5"], scores["mrr@10"]))
        if len(seconds) % 10 == 0 or len(seconds) == len(rows):
            show(figures, f"{len(seconds)} questions, the first {options.depth} hits", seconds)
    index.close()


def show(figures: dict[str, list[tuple[float, float]]], title: str, seconds: list[float]) -> None:
    """Print the table of the questions so far; the first question's seconds, with the loading, are left out."""
    print(f"{title}, median {np.median(seconds[1:] or seconds):.1f} s a question")
    print("| | R@5 | MRR@10 | R@5 more than search | MRR@10 more |\n|---|---|---|---|---|")
    before = np.array(figures["search"])
    for name, found in figures.items():
        after = np.array(found)
        gains = [paired_interval(before[:, n], after[:, n]) for n in (0, 1)]
        shown = " | ".join(f"{g.difference:+.3f} [{g.low:+.3f}, {g.high:+.3f}]" for g in gains)
        print(f"| {name} | {after[:, 0].mean():.3f} | {after[:, 1].mean():.3f} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
