"""Fit when papers speak to a question, when they answer it and which count; writes evidence/relevance.toml.

    python eval/fit_relevance.py SHARED_DATA_FOLDER

The questions are in eval/dev/: 200 over 80 machine-learning abstracts and 200 over 80 biomedical ones, written for this
project by someone who had not seen the system; they say which papers answer them, and 40 of each have nothing to do
with the papers (`far`), 40 only seem to (`near`: fitted only where the question is whether the papers answer). The
abstracts are looked up in the data folder by id. Each figure is of one field when fitted on the other. Clues are read
from the first papers by the paper model that stands in the file: after a change of its features run this twice.
"""

import argparse
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from rag_qa.answering.evidence.answerability import Clues, find_clues
from rag_qa.answering.evidence.relevance import Signals, assess, best_signals, paper_features
from rag_qa.answering.evidence.scoring import score_sentences
from rag_qa.answering.query.parse import parse
from rag_qa.backends.embedding import open_embedder
from rag_qa.index.builder import build_index
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings
from rag_qa.text.words import question_terms

SETS = {"ml": "ml_abstracts/sample_2k.jsonl.gz", "bio": "scifact/documents.jsonl.gz"}
HITS = 8
# Paper coverage is left out: over a whole abstract, stray words of a far-off question are covered too.
QUESTION_SIGNALS = ("passage_similarity", "sentence_similarity", "sentence_coverage")
# Of the answerable questions, as many may be refused on the data that the threshold is fitted on.
REFUSED = 0.03
# Inverse strength of the regularisation of `answer`; its features are shares, so weak.
PRIOR = 10.0
DEV = Path(__file__).parent / "dev"
# Where what eval/fit_decision.py fits begins; it stays.
BY_THE_MODEL = "# By what the language model said"
OUTPUT = Path(__file__).parents[1] / "rag_qa" / "answering" / "evidence" / "relevance.toml"


class Question(NamedTuple):
    """What was found for a question: features by paper, shape (papers, features); which are gold; how many are."""

    kind: str
    best: np.ndarray
    clues: np.ndarray
    papers: np.ndarray
    gold: np.ndarray
    wanted: int

    @property
    def answerable(self) -> bool:
        return self.wanted > 0


def index_papers(data: Path, name: str, work: Path, embedder: Embedder) -> Index:
    """Build and open an index of the set's papers."""
    wanted = set((DEV / name / "papers.txt").read_text("utf-8").split())
    with gzip.open(data / SETS[name], "rt", encoding="utf-8") as lines:
        papers = [row for row in map(json.loads, lines) if row["id"] in wanted]
    source = work / f"{name}.jsonl"
    source.write_text("\n".join(json.dumps({k: p[k] for k in ("id", "title", "abstract")}) for p in papers))
    build_index([source], work / name, embedder=embedder)
    return Index.open(work / name)


def read_questions(name: str) -> list[dict]:
    """Return the set's questions."""
    return [json.loads(line) for line in (DEV / name / "questions.jsonl").read_text("utf-8").splitlines()]


def examine(data: Path, name: str, work: Path) -> list[Question]:
    """Search the set's papers for each of its questions."""
    embedder = open_embedder(Settings())
    index = index_papers(data, name, work, embedder)
    retriever = Retriever(index, embedder)
    questions = []
    for row in read_questions(name):
        hits = retriever.search(row["text"], HITS)
        query = parse(row["text"], facets=index.facets, literal=True, embedder=embedder)
        terms = question_terms(row["text"])
        weights = index.term_weights(terms)
        sentences = score_sentences(row["text"], terms, [h.paper for h in hits], weights, embedder)
        assessed = assess(hits, sentences, terms, weights)
        best = best_signals([a.signals for a in assessed])
        questions.append(
            Question(
                kind=row["kind"],
                best=np.array([getattr(best, name) for name in QUESTION_SIGNALS]),
                clues=np.array(
                    list(
                        find_clues(query, assessed, [h.paper for h in hits], terms, weights)
                        .model_dump()
                        .values()
                    )
                ),
                papers=np.array([list(paper_features(a.signals, best).values()) for a in assessed]),
                gold=np.array([a.paper_id in row["gold"] for a in assessed]),
                wanted=len(row["gold"]),
            )
        )
    index.close()
    return questions


def fit_question(questions: Sequence[Question]) -> tuple[LogisticRegression, float]:
    """Fit answerable against far, and the threshold that refuses no more than the share wanted."""
    used = [q for q in questions if q.answerable or q.kind == "far"]
    x, y = np.array([q.best for q in used]), np.array([q.answerable for q in used])
    model = LogisticRegression(max_iter=5000).fit(x, y)
    return model, float(np.quantile(model.predict_proba(x[y])[:, 1], REFUSED))


def fit_answer(questions: Sequence[Question]) -> tuple[LogisticRegression, float]:
    """Fit answerable against far and near, and the threshold that refuses no more than the share wanted."""
    x, y = np.array([q.clues for q in questions]), np.array([q.answerable for q in questions])
    model = LogisticRegression(max_iter=5000, C=PRIOR).fit(x, y)
    return model, float(np.quantile(model.predict_proba(x[y])[:, 1], REFUSED))


def fit_paper(questions: Sequence[Question]) -> tuple[LogisticRegression, float]:
    """Fit gold against not among what answerable questions find, and the threshold of the best F1 on "which"."""
    used = [q for q in questions if q.answerable]
    model = LogisticRegression(max_iter=5000).fit(
        np.concatenate([q.papers for q in used]), np.concatenate([q.gold for q in used])
    )
    grid = np.arange(0.05, 0.8, 0.025)
    return model, float(max(grid, key=lambda t: listing(model, t, questions)[2]))


def listing(model: LogisticRegression, threshold: float, questions: Sequence[Question]) -> np.ndarray:
    """Return mean precision, recall and F1 of the papers listed for the questions that ask for papers."""
    scores = []
    for q in questions:
        if q.kind == "which":
            p = model.predict_proba(q.papers)[:, 1]
            kept = p >= min(threshold, p.max())
            right = (kept & q.gold).sum()
            scores.append((right / kept.sum(), right / q.wanted, 2 * right / (kept.sum() + q.wanted)))
    return np.mean(scores, axis=0)


def held_out(questions: Sequence[Question], others: Sequence[Question]) -> dict[str, float]:
    """Return how models fitted on the others do."""
    model, threshold = fit_answer(others)
    probability = model.predict_proba(np.array([q.clues for q in questions]))[:, 1]
    far_model, far_threshold = fit_question(others)
    on_topic = far_model.predict_proba(np.array([q.best for q in questions]))[:, 1]
    kinds = np.array(["answerable" if q.answerable else q.kind for q in questions])
    answered = (probability >= threshold) & (on_topic >= far_threshold)
    share: Callable[[str], float] = lambda kind: float(np.mean(answered[kinds == kind]))  # noqa: E731
    area: Callable[..., float] = lambda scores, *wrong: float(  # noqa: E731
        roc_auc_score(*(a[np.isin(kinds, ("answerable", *wrong))] for a in (kinds == "answerable", scores)))
    )
    precision, recall, f1 = listing(*fit_paper(others), questions)
    return {
        "area under ROC": area(probability, "far", "near"),
        "far": area(probability, "far"),
        "near": area(probability, "near"),
        "near by relevance alone": area(on_topic, "near"),
        "answerable refused": 1 - share("answerable"),
        "far answered": share("far"),
        "near answered": share("near"),
        "answerable refused with .25 of near answered": float(
            np.mean(probability[kinds == "answerable"] < np.quantile(probability[kinds == "near"], 0.75))
        ),
        "listed precision": precision,
        "listed recall": recall,
        "listed F1": f1,
    }


def section(name: str, model: LogisticRegression, threshold: float, features: Sequence[str]) -> list[str]:
    """Return one model as TOML."""
    return [
        f"[{name}]",
        f"threshold = {threshold:.3f}",
        f"intercept = {model.intercept_[0]:.4f}",
        "",
        f"[{name}.coefficients]",
        *(f"{feature} = {value:.4f}" for feature, value in zip(features, model.coef_[0], strict=True)),
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as work:
        sets = {name: examine(options.data, name, Path(work)) for name in SETS}
    lines = [
        "# When papers speak to a question, answer it, and count: logit = intercept + coefficients · signals."
    ]
    lines += ["# Written by `python eval/fit_relevance.py DATA` from the questions in eval/dev/."]
    for name, questions in sets.items():
        figures = held_out(questions, [q for other in sets if other != name for q in sets[other]])
        lines.append(
            f"# {name}, fitted on the other: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items())
        )
    together = [q for questions in sets.values() for q in questions]
    none = Signals(**dict.fromkeys(Signals.model_fields, 0.0))
    lines += ["", *section("question", *fit_question(together), QUESTION_SIGNALS)]
    lines += section("answer", *fit_answer(together), list(Clues.model_fields))
    lines += section("paper", *fit_paper(together), list(paper_features(none, none)))
    of_the_model = OUTPUT.read_text("utf-8").partition(BY_THE_MODEL)[2]
    OUTPUT.write_text("\n".join(lines) + f"\n{BY_THE_MODEL}{of_the_model}", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
