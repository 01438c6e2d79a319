"""What each component of search adds: the same questions with components switched off.

    python eval/ablate_retrieval.py INDEX QUERIES.jsonl QRELS.tsv [--questions N] [--seed S]

Prints a table of recall@5, recall@20 and MRR@10, the last column with the paired bootstrap interval of recall@20's
difference to the whole. Every row searches without the words that only ask for papers, but the last.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np

from rag_qa.backends.embedding import open_embedder
from rag_qa.index.reader import Index
from rag_qa.protocols import EmbedderSpec, Matrix, Role
from rag_qa.retrieval import searching
from rag_qa.retrieval.searching import WEIGHTS, Retriever
from rag_qa.settings import Settings

SYSTEMS = {
    "all": WEIGHTS,
    "without feedback": WEIGHTS | {"dense": 1.0, "feedback": 0.0},
    "without title": WEIGHTS | {"title": 0.0},
    "without dense": WEIGHTS | {"dense": 0.0},
    "dense + BM25": {"dense": 1.0, "feedback": 0.0, "lexical": 1.0, "title": 0.0},
    "dense": {"dense": 1.0, "feedback": 0.0, "lexical": 0.0, "title": 0.0},
    "BM25": {"dense": 0.0, "feedback": 0.0, "lexical": 1.0, "title": 0.0},
}
UNCLEANED = "all, asking words kept"


class Remembering:
    """An embedder that embeds each question once."""

    def __init__(self) -> None:
        self._embedder = open_embedder(Settings())
        self._one = cache(lambda text: self._embedder.encode([text], role="query")[0])

    @property
    def spec(self) -> EmbedderSpec:
        return self._embedder.spec

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        return np.stack([self._one(text) for text in texts])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._embedder.count_tokens(texts)


def score(ranked: Sequence[str], gold: set[str]) -> tuple[float, float, float]:
    """Return recall@5, recall@20 and the reciprocal rank within ten."""
    found = [paper in gold for paper in ranked]
    first = found[:10].index(True) + 1 if any(found[:10]) else 0
    return sum(found[:5]) / len(gold), sum(found[:20]) / len(gold), 1 / first if first else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("qrels", type=Path)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    index = Index.open(options.index)
    embedder = Remembering()
    gold: dict[str, set[str]] = defaultdict(set)
    for line in options.qrels.read_text("utf-8").splitlines()[1:]:
        query, paper, grade = line.split("\t")
        if int(grade) > 0:
            gold[query] |= index.resolve([paper]) or {paper}
    rows = [
        row for row in map(json.loads, options.queries.read_text("utf-8").splitlines()) if gold[row["id"]]
    ]
    rows = random.Random(options.seed).sample(rows, min(options.questions, len(rows)))
    chance = np.random.default_rng(options.seed)
    whole = None
    print(f"{len(rows)} questions, {index.manifest.counts.papers} papers")
    print("| | R@5 | R@20 | MRR@10 | R@20 less than all |\n|---|---|---|---|---|")
    for name, weights in (SYSTEMS | {UNCLEANED: WEIGHTS}).items():
        retriever = Retriever(index, embedder, weights=weights)
        with patch.object(
            searching, "without_request", str if name == UNCLEANED else searching.without_request
        ):
            hits = [[hit.paper.id for hit in retriever.search(row["text"], 20)] for row in rows]
        scores = np.array([score(h, gold[row["id"]]) for h, row in zip(hits, rows, strict=True)])
        whole = scores if whole is None else whole
        lost = (whole - scores)[:, 1]
        means = lost[chance.integers(len(lost), size=(2000, len(lost)))].mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        figures = " | ".join(f"{value:.3f}" for value in scores.mean(axis=0))
        print(f"| {name} | {figures} | {lost.mean():.3f} [{low:.3f}, {high:.3f}] |", flush=True)
    index.close()


if __name__ == "__main__":
    main()
