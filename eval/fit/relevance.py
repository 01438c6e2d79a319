"""Fit which papers are relevant and whether they answer a question; write rag_qa/answering/evidence/relevance.toml.

    python eval/fit/relevance.py SHARED_DATA_FOLDER

Fits three logistic regressions (`question`, `answer`, `paper`) and the threshold of lists. The questions are in
sets/dev: 200 over 80 machine-learning abstracts and 200 over 80 biomedical ones, written for this project by someone
who had not seen the system. They say which papers answer them; 40 of each have nothing to do with the papers (`far`),
and 40 only seem to (`near`, fitted only for answerability). Which papers count is also fitted on the 30 requests for
papers of sets/lists/dev, over 500 abstracts of four fields. The abstracts are looked up in the data folder by id. Each
figure printed is of one set when fitted on the others. The features of the first papers depend on the paper model in
the file, so run this twice after a change of its features. The blocks of eval/fit/decision.py stay.

Takes some minutes on two cores. Check afterwards: `rag-qa eval --check sample seeds`.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from eval.logistic import as_toml, fit_logistic
from eval.programs import parser_for, read_rows
from rag_qa.answering.evidence.answerability import Clues, find_clues
from rag_qa.answering.evidence.relevance import Signals, assess, best_signals, paper_features
from rag_qa.answering.evidence.scoring import score_sentences
from rag_qa.answering.query.parse import parse
from rag_qa.backends.embedding import open_embedder
from rag_qa.evaluation.corpora import SHARED, resolve_corpus, select_papers
from rag_qa.evaluation.datasets import load_question_set
from rag_qa.index.builder import build_index
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings
from rag_qa.text.words import question_terms

SETS = {"ml": "ml_abstracts/sample_2k.jsonl.gz", "bio": "scifact/documents.jsonl.gz"}
HITS = 8
# How many papers are searched for a request for papers.
LISTED = 10
# Without the coverage by a whole paper, which covers stray words of a far question too.
QUESTION_SIGNALS = ("passage_similarity", "sentence_similarity", "sentence_coverage")
# The share of answerable questions, and of requests that some paper meets, that a threshold may refuse on the data
# that it is fitted on.
REFUSED = 0.03
# The mean precision of lists on the requests that the threshold is fitted on.
RIGHT = 0.85
FOLDS = 10
# Weak regularisation (scikit-learn's C) of `answer`, since its features are shares.
PRIOR = 10.0
DEV = Path(__file__).parents[1] / "sets" / "dev"
LISTS = Path(__file__).parents[1] / "sets" / "lists" / "dev"
# The blocks of eval/fit/decision.py begin here; they stay.
BY_THE_MODEL = "# By what the language model said"
OUTPUT = Path(__file__).parents[2] / "rag_qa" / "answering" / "evidence" / "relevance.toml"


class Question(NamedTuple):
    """The features found for a question and its papers, shape (papers, features), and which papers are gold.

    `requests` is whether it asks for papers, as a near or far one may too; papers under `maybe` count neither way.
    """

    kind: str
    requests: bool
    best: np.ndarray
    clues: np.ndarray
    papers: np.ndarray
    gold: np.ndarray
    maybe: np.ndarray
    wanted: int

    @property
    def answerable(self) -> bool:
        return self.wanted > 0


def index_papers(data: Path, name: str, work: Path, embedder: Embedder) -> Index:
    """Build and open an index of the set's papers."""
    wanted = set((DEV / name / "papers.txt").read_text("utf-8").split())
    papers = [row for row in read_rows(data / SETS[name]) if row["id"] in wanted]
    source = work / f"{name}.jsonl"
    source.write_text("\n".join(json.dumps({k: p[k] for k in ("id", "title", "abstract")}) for p in papers))
    build_index([source], work / name, embedder=embedder)
    return Index.open(work / name)


def read_questions(name: str) -> list[dict[str, Any]]:
    """Return the set's questions."""
    return read_rows(DEV / name / "questions.jsonl")


def index_lists(data: Path, work: Path, embedder: Embedder) -> Index:
    """Build and open an index of the papers of eval/sets/lists/dev."""
    os.environ[SHARED] = str(data.parent)
    asked = load_question_set(LISTS)
    assert asked.ids is not None, f"{LISTS} names no papers"
    source = select_papers(resolve_corpus(asked), asked.ids, work / "lists.jsonl")
    build_index([source], work / "lists", embedder=embedder)
    return Index.open(work / "lists")


def read_lists() -> list[dict[str, Any]]:
    """Return the requests of eval/sets/lists/dev in the form of the other questions."""
    asked = load_question_set(LISTS)
    assert asked.ids is not None, f"{LISTS} names no papers"
    return [
        {"text": q.text, "kind": q.kind, "gold": list(asked.qrels.get(q.id, ())), "maybe": q.maybe}
        for q in asked.questions
    ]


def examine(index: Index, rows: Sequence[dict[str, Any]], embedder: Embedder) -> list[Question]:
    """Search an index for each of its questions."""
    retriever = Retriever(index, embedder)
    questions = []
    for row in rows:
        query = parse(row["text"], facets=index.facets, literal=True, embedder=embedder)
        requests = "which" in (row["kind"], query.kind if row["kind"] in ("near", "far") else "")
        hits = retriever.search(row["text"], LISTED if requests else HITS)
        terms = question_terms(row["text"])
        weights = index.term_weights(terms)
        papers = [hit.paper for hit in hits]
        assessed = assess(
            hits, score_sentences(row["text"], terms, papers, weights, embedder), terms, weights
        )
        best = best_signals([a.signals for a in assessed])
        clues = find_clues(query, assessed, papers, terms, weights)
        questions.append(
            Question(
                kind=row["kind"],
                requests=requests,
                best=np.array([getattr(best, name) for name in QUESTION_SIGNALS]),
                clues=np.array(list(clues.model_dump().values())),
                papers=np.array([list(paper_features(a.signals, best).values()) for a in assessed]),
                gold=np.array([a.paper_id in row["gold"] for a in assessed]),
                maybe=np.array([a.paper_id in row.get("maybe", ()) for a in assessed]),
                wanted=len(row["gold"]),
            )
        )
    return questions


def fit_question(questions: Sequence[Question]) -> tuple[LogisticRegression, float]:
    """Fit answerable against far, and the threshold that refuses no more than the share wanted."""
    used = [q for q in questions if q.answerable or q.kind == "far"]
    x, y = np.array([q.best for q in used]), np.array([q.answerable for q in used])
    model = fit_logistic(x, y)
    return model, float(np.quantile(model.predict_proba(x[y])[:, 1], REFUSED))


def fit_answer(questions: Sequence[Question]) -> tuple[LogisticRegression, float]:
    """Fit answerable against far and near, and the threshold that refuses no more than the share wanted."""
    x, y = np.array([q.clues for q in questions]), np.array([q.answerable for q in questions])
    model = fit_logistic(x, y, strength=PRIOR)
    return model, float(np.quantile(model.predict_proba(x[y])[:, 1], REFUSED))


def fit_paper(questions: Sequence[Question]) -> tuple[LogisticRegression, float]:
    """Fit gold against other papers of answerable questions, and the least threshold that is precise enough.

    For the threshold each tenth of the questions is listed by a model of the others.
    """
    tenth = np.random.default_rng(0).permutation(len(questions)) % FOLDS
    models = [
        paper_model([q for q, n in zip(questions, tenth, strict=True) if n != fold]) for fold in range(FOLDS)
    ]
    left_out = [models[n].predict_proba(q.papers)[:, 1] for q, n in zip(questions, tenth, strict=True)]
    grid = np.arange(0.05, 0.8, 0.025)
    precise = (t for t in grid if list_scores(left_out, t, questions)[0] >= RIGHT)
    return paper_model(questions), float(next(precise, grid[-1]))


def paper_model(questions: Sequence[Question]) -> LogisticRegression:
    """Fit gold against other papers of answerable questions."""
    used = [q for q in questions if q.answerable]
    return fit_logistic(
        np.concatenate([q.papers[~q.maybe] for q in used]), np.concatenate([q.gold[~q.maybe] for q in used])
    )


def listing(model: LogisticRegression, threshold: float, questions: Sequence[Question]) -> np.ndarray:
    """Return mean precision, recall and F1 of the papers that a model lists."""
    return list_scores([model.predict_proba(q.papers)[:, 1] for q in questions], threshold, questions)


def list_scores(found: Sequence[np.ndarray], threshold: float, questions: Sequence[Question]) -> np.ndarray:
    """Return mean precision, recall and F1 of the papers listed for the questions that ask for papers.

    `found` holds the probability of each paper of each question.
    """
    scores = []
    for q, p in zip(questions, found, strict=True):
        if q.kind == "which" and q.answerable:
            kept = (p >= min(threshold, p.max())) & ~q.maybe
            right = (kept & q.gold).sum()
            scores.append((right / max(1, kept.sum()), right / q.wanted, 2 * right / (kept.sum() + q.wanted)))
    means: np.ndarray = np.mean(scores, axis=0)
    return means


def fit_list(
    questions: Sequence[Question], speak: LogisticRegression, paper: LogisticRegression
) -> tuple[np.ndarray, float]:
    """Return the probability that each request is met, and the threshold that refuses REFUSED of those met."""
    asked = [q for q in questions if q.requests]
    probability = np.array(
        [speak.predict_proba(q.best[None])[0, 1] * paper.predict_proba(q.papers)[:, 1].max() for q in asked]
    )
    return probability, float(np.quantile(probability[[q.answerable for q in asked]], REFUSED))


def listed(
    questions: Sequence[Question], others: Sequence[Question], lists: Sequence[Question]
) -> dict[str, float]:
    """Return scores of lists and of refused requests, by models fitted on the others and on lists."""
    speak, speaks = fit_question(others)
    paper, wanted = fit_paper([*others, *lists])
    _, threshold = fit_list([*others, *lists], speak, paper)
    probability, _ = fit_list(questions, speak, paper)
    asked = [q for q in questions if q.requests]
    on_topic = speak.predict_proba(np.array([q.best for q in asked]))[:, 1] >= speaks
    answered = (probability >= threshold) & on_topic
    kinds = np.array(["which" if q.answerable else q.kind for q in asked])
    precision, recall, f1 = listing(paper, wanted, questions)
    return {
        "listed precision": precision,
        "listed recall": recall,
        "listed F1": f1,
        "requests refused": float(np.mean(~answered[kinds == "which"])),
        **{
            f"{kind} requests answered": float(np.mean(answered[kinds == kind]))
            for kind in ("near", "far")
            if kind in kinds
        },
    }


def held_out(questions: Sequence[Question], others: Sequence[Question]) -> dict[str, float]:
    """Return the scores of the questions by models fitted on the others."""
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
    }


def section(name: str, model: LogisticRegression, threshold: float, features: Sequence[str]) -> list[str]:
    """Return one model as TOML."""
    return as_toml(name, features, model.coef_[0], model.intercept_[0], threshold)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    embedder = open_embedder(Settings())
    with TemporaryDirectory() as work:
        sets = {
            name: examine(
                index_papers(options.data, name, Path(work), embedder), read_questions(name), embedder
            )
            for name in SETS
        }
        lists = examine(index_lists(options.data, Path(work), embedder), read_lists(), embedder)
    lines = [
        "# When papers speak to a question, answer it, and count: logit = intercept + coefficients · signals."
    ]
    lines += ["# Written by `python eval/fit/relevance.py DATA` from eval/sets/dev/ and eval/sets/lists/dev."]
    for name, questions in [*sets.items(), ("lists", lists)]:
        others = [q for other in sets if other != name for q in sets[other]]
        figures = held_out(questions, others) if name in sets else {}
        figures |= listed(questions, others, lists if name in sets else [])
        lines.append(
            f"# {name}, fitted on the others: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items())
        )
    together = [q for questions in sets.values() for q in questions]
    none = Signals(**dict.fromkeys(Signals.model_fields, 0.0))
    speak, speaks = fit_question(together)
    paper, counts = fit_paper([*together, *lists])
    lines += ["", *section("question", speak, speaks, QUESTION_SIGNALS)]
    lines += section("answer", *fit_answer(together), list(Clues.model_fields))
    lines += section("paper", paper, counts, list(paper_features(none, none)))
    lines += ["[list]", f"threshold = {fit_list([*together, *lists], speak, paper)[1]:.3f}", ""]
    of_the_model = OUTPUT.read_text("utf-8").partition(BY_THE_MODEL)[2]
    OUTPUT.write_text("\n".join(lines) + f"\n{BY_THE_MODEL}{of_the_model}", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
