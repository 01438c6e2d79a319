"""Fit the probability that a paper speaks to a question; writes rag_qa/answering/relevance.toml.

    python eval/fit_relevance.py SHARED_DATA_FOLDER [--queries 250]

Each judged question searches 200 random papers of its collection twice: with its gold papers among them (these are
relevant, the rest of the first six are not) and with them withheld (nothing is). Random subsets keep unjudged but
relevant papers out of the negatives, and resemble a small personal collection. Scores by leaving one set out.
"""

import argparse
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from rag_qa.answering.evidence import score_sentences
from rag_qa.answering.relevance import Signals, assess
from rag_qa.answering.terms import question_terms
from rag_qa.backends.embedding import open_embedder
from rag_qa.index.builder import build_index
from rag_qa.index.reader import Index
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings

SETS = {
    # name: (documents, queries, qrels, keep titles)
    "autoscholar": ("ml_abstracts/documents", "autoscholar/queries.dev", "autoscholar/qrels.dev", True),
    "scitldr": ("scitldr/documents", "scitldr/queries.train", "scitldr/qrels.train", True),
    "scifact": ("scifact/documents", "scifact/queries.dev", "scifact/qrels.dev", True),
    "pubmedqa": ("pubmedqa/documents", "pubmedqa/queries.dev", "pubmedqa/qrels.dev", False),
    "tldr": ("ml_abstracts/documents", "ml_abstracts/tldr_queries", None, True),
}
SUBSET, HITS, DISTRACTORS, REFUSED = 200, 6, 600, 0.03
# Its gold papers are those cited near a sentence: many do not answer the question made of it.
NOISY = ("autoscholar",)
OUTPUT = Path(__file__).parents[1] / "rag_qa" / "answering" / "relevance.toml"


class Examples(NamedTuple):
    """Signals, shape (examples, signals); gold or not; the number of the search, even where gold papers were there."""

    signals: np.ndarray
    gold: np.ndarray
    search: np.ndarray


def read_lines(stem: Path) -> list[dict]:
    path = next(p for p in (Path(f"{stem}.jsonl.gz"), Path(f"{stem}.jsonl")) if p.exists())
    open_ = gzip.open if path.suffix == ".gz" else open
    with open_(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def load(data: Path, name: str, limit: int) -> tuple[list[dict], dict[str, tuple[str, set[str]]]]:
    """Return documents (every gold paper and random others) and questions with their gold ids."""
    documents, queries, qrels, titled = SETS[name]
    rng = random.Random(7)
    gold: dict[str, set[str]] = defaultdict(set)
    texts = {row["id"]: row["text"] for row in read_lines(data / queries)}
    if qrels is None:
        gold |= {row["id"]: {row["doc"]} for row in read_lines(data / queries)}
    else:
        for line in (data / f"{qrels}.tsv").read_text("utf-8").splitlines()[1:]:
            query, document, grade = line.split("\t")
            if int(grade) > 0:
                gold[query].add(document)
    chosen = rng.sample(sorted(q for q in texts if gold[q]), min(limit, sum(bool(gold[q]) for q in texts)))
    wanted = {document for query in chosen for document in gold[query]}
    rows = read_lines(data / documents)
    others = rng.sample([r for r in rows if r["id"] not in wanted], min(DISTRACTORS, len(rows) - len(wanted)))
    kept = [r for r in rows if r["id"] in wanted] + others
    papers = [{"id": r["id"], "title": r["title"] if titled else "", "abstract": r["abstract"]} for r in kept]
    return papers, {query: (texts[query], gold[query]) for query in chosen}


def examples(data: Path, name: str, limit: int, work: Path) -> Examples:
    """Return each considered paper's signals, whether it is gold, and which search it came from."""
    papers, questions = load(data, name, limit)
    source = work / f"{name}.jsonl"
    source.write_text("\n".join(map(json.dumps, papers)), "utf-8")
    embedder = open_embedder(Settings())
    build_index([source], work / name, embedder=embedder)
    index = Index.open(work / name)
    retriever = Retriever(index, embedder, pool=200)
    known = sorted(paper.id for paper in index.papers())
    rng = random.Random(3)
    rows, labels, searches, number = [], [], [], 0
    for text, gold_ids in questions.values():
        gold = {index.paper(g).id for g in gold_ids}
        subset = [p for p in rng.sample(known, min(SUBSET, len(known))) if p not in gold]
        for within in (subset + sorted(gold), subset):
            hits = retriever.search(text, HITS, within=within)
            terms = question_terms(text)
            weights = index.term_weights(terms)
            sentences = score_sentences(text, terms, [h.paper for h in hits], weights, embedder)
            for assessed in assess(hits, sentences, terms, weights):
                rows.append([value for _, value in assessed.signals])
                labels.append(assessed.paper_id in gold)
                searches.append(number)
            number += 1
    index.close()
    return Examples(np.array(rows), np.array(labels), np.array(searches))


def fit(sets: Iterable[Examples]) -> LogisticRegression:
    sets = list(sets)
    x, y = np.concatenate([s.signals for s in sets]), np.concatenate([s.gold for s in sets])
    return LogisticRegression(max_iter=1000).fit(x, y)


def best_of_searches(model: LogisticRegression, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """Return the highest probability of each search with gold papers (even numbers) and of each without."""
    probability = model.predict_proba(examples.signals)[:, 1]
    best = np.array([probability[examples.search == n].max() for n in np.unique(examples.search)])
    return best[::2], best[1::2]


def mean_refused(searches: Iterable[tuple[np.ndarray, np.ndarray]], threshold: float) -> float:
    """Return the mean over sets of the shares refused though the papers are there."""
    return float(np.mean([np.mean(present < threshold) for present, _ in searches]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--queries", type=int, default=60)
    options = parser.parse_args()
    sets = {}
    with TemporaryDirectory() as work:
        for name in SETS:
            sets[name] = examples(options.data, name, options.queries, Path(work))
            print(f"{name}: {len(sets[name].gold)} examples", flush=True)
    aucs, answerable, refused, answered = {}, {}, {}, {}
    for held_out in sets:
        model = fit(sets[name] for name in sets if name != held_out)
        probability = model.predict_proba(sets[held_out].signals)[:, 1]
        aucs[held_out] = roc_auc_score(sets[held_out].gold, probability)
        answerable[held_out] = best_of_searches(model, sets[held_out])
    clean = [searches for name, searches in answerable.items() if name not in NOISY]
    threshold = max(t for t in np.arange(0.01, 0.99, 0.01) if mean_refused(clean, t) <= REFUSED)
    for name, (present, withheld) in answerable.items():
        refused[name], answered[name] = np.mean(present < threshold), np.mean(withheld >= threshold)
    model = fit(sets.values())
    shown = lambda values: ", ".join(f"{name} {value:.3f}" for name, value in values.items())  # noqa: E731
    lines = [
        "# The probability that a paper speaks to a question: intercept + coefficients · signals, on the logit scale.",
        f"# Written by `python eval/fit_relevance.py DATA --queries {options.queries}`; fitted on dev questions of",
        f"# {', '.join(sets)}. Each figure is of a set when fitted on the others.",
        f"# Area under the ROC curve: {shown(aucs)}.",
        f"# The threshold refuses {REFUSED:.0%} of the answerable questions in the mean over all but {NOISY[0]}.",
        f"# Refused though the papers are there: {shown(refused)}.",
        f"# Answered though the papers are withheld: {shown(answered)}.",
        "",
        f"threshold = {threshold:.2f}",
        "",
        "[coefficients]",
        f"intercept = {model.intercept_[0]:.4f}",
        *(f"{n} = {value:.4f}" for n, value in zip(Signals.model_fields, model.coef_[0], strict=True)),
    ]
    OUTPUT.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
