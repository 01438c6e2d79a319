"""Fit the probability that a paper speaks to a question; writes rag_qa/answering/relevance.toml.

    python eval/fit_relevance.py SHARED_DATA_FOLDER [--queries 60]

Each judged question searches 200 random papers of its collection twice: with its gold papers among them (these are
relevant, the rest of the first six are not) and with them withheld (near misses, counted and not fitted). A question
from another field (biomedicine against machine learning) searches them too: nothing speaks to it. Random subsets keep
unjudged but relevant papers out of the negatives, and resemble a personal collection. Only sets of natural questions
serve: claims and one-line summaries repeat the words of their abstracts as questions do not. Scores by leaving one
set out.
"""

import argparse
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
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
    "pubmedqa": ("pubmedqa/documents", "pubmedqa/queries.dev", "pubmedqa/qrels.dev", False),
}
SUBSET, HITS, DISTRACTORS = 200, 6, 600
OUTPUT = Path(__file__).parents[1] / "rag_qa" / "answering" / "relevance.toml"
PRESENT, WITHHELD, FOREIGN = range(3)


class Examples(NamedTuple):
    """Signals, shape (examples, signals); gold or not; the question's number; what its search was given."""

    signals: np.ndarray
    gold: np.ndarray
    question: np.ndarray
    given: np.ndarray


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
    foreign = [text for text, _ in load(data, foreign_to(name), limit)[1].values()]
    rows = []
    for number, (text, gold_ids) in enumerate(questions.values()):
        gold = {index.paper(g).id for g in gold_ids}
        subset = [p for p in rng.sample(known, min(SUBSET, len(known))) if p not in gold]
        searches = [(text, subset + sorted(gold)), (text, subset), (foreign[number % len(foreign)], subset)]
        for given, (asked, within) in enumerate(searches):
            hits = retriever.search(asked, HITS, within=within)
            terms = question_terms(asked)
            weights = index.term_weights(terms)
            sentences = score_sentences(asked, terms, [h.paper for h in hits], weights, embedder)
            for found in assess(hits, sentences, terms, weights):
                signals = [value for _, value in found.signals]
                rows.append((signals, given == PRESENT and found.paper_id in gold, number, given))
    index.close()
    return Examples(*(np.array(column) for column in zip(*rows, strict=True)))


def foreign_to(name: str) -> str:
    """Return a set whose questions are of another field."""
    return "autoscholar" if name == "pubmedqa" else "pubmedqa"


def fit(sets: Iterable[Examples]) -> LogisticRegression:
    """Fit on all that was given but the searches from which the gold papers were withheld."""
    pairs = [(s.signals[s.given != WITHHELD], s.gold[s.given != WITHHELD]) for s in sets]
    x, y = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return LogisticRegression(max_iter=1000).fit(x, y)


def best_of(probability: np.ndarray, examples: Examples, given: int) -> np.ndarray:
    """Return the highest probability of each question's search that was given this."""
    chosen = [(examples.question == n) & (examples.given == given) for n in np.unique(examples.question)]
    return np.array([probability[rows].max() for rows in chosen])


def error(best: Sequence[np.ndarray], threshold: float) -> float:
    """Return the mean of the shares refused though the papers are there and answered though of another field."""
    return float(np.mean(best[PRESENT] < threshold) + np.mean(best[FOREIGN] >= threshold)) / 2


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
    best = {}
    aucs = {}
    for held_out, its in sets.items():
        probability = fit(sets[n] for n in sets if n != held_out).predict_proba(its.signals)[:, 1]
        fitted = its.given != WITHHELD
        aucs[held_out] = roc_auc_score(its.gold[fitted], probability[fitted])
        best[held_out] = [best_of(probability, its, given) for given in (PRESENT, WITHHELD, FOREIGN)]
    grid = np.arange(0.005, 0.5, 0.005)
    threshold = min(grid, key=lambda t: np.mean([error(b, t) for b in best.values()]))
    refused = {name: np.mean(b[PRESENT] < threshold) for name, b in best.items()}
    foreign = {name: np.mean(b[FOREIGN] >= threshold) for name, b in best.items()}
    answered = {name: np.mean(b[WITHHELD] >= threshold) for name, b in best.items()}
    model = fit(sets.values())
    shown = lambda values: ", ".join(f"{name} {value:.3f}" for name, value in values.items())  # noqa: E731
    lines = [
        "# The probability that a paper speaks to a question: intercept + coefficients · signals, on the logit scale.",
        f"# Written by `python eval/fit_relevance.py DATA --queries {options.queries}`; fitted on dev questions of",
        f"# {', '.join(sets)}. Each figure is of a set when fitted on the others.",
        f"# Area under the ROC curve: {shown(aucs)}.",
        "# The threshold has the least mean error, refusing and answering a foreign question counting alike.",
        f"# Refused though the papers are there: {shown(refused)}.",
        f"# Answered though of another field: {shown(foreign)}.",
        f"# Answered though the papers are withheld: {shown(answered)}.",
        "",
        f"threshold = {threshold:.3f}",
        "",
        "[coefficients]",
        f"intercept = {model.intercept_[0]:.4f}",
        *(f"{n} = {value:.4f}" for n, value in zip(Signals.model_fields, model.coef_[0], strict=True)),
    ]
    OUTPUT.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
