"""Metrics of retrieval and of abstention, as pure functions.

Over a set, a metric is the mean over the questions to which it applies. A ranking is an order of document ids, best
first. A document without a judgment counts as not relevant.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from rag_qa.evaluation.qrels import Grades, gold


def _top(ranking: Sequence[str], k: int) -> list[str]:
    """The first k distinct documents; one that is ranked twice counts once."""
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    return list(islice(dict.fromkeys(ranking), k))


def recall_at(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Return recall@k: relevant documents among the first k / relevant documents, from 0 to 1.

    Relevant is a grade ≥ 1; the value is 0 if nothing is relevant. The same as trec_eval's `recall_k`.

    >>> recall_at(["a", "b", "c"], {"a": 1, "d": 1}, k=2)
    0.5
    """
    relevant = gold(grades)
    return len(relevant.intersection(_top(ranking, k))) / len(relevant) if relevant else 0.0


def reciprocal_rank_at(ranking: Sequence[str], grades: Grades, k: int = 10) -> float:
    """Return 1 / rank of the first relevant document (grade ≥ 1) among the first k, or 0; from 0 to 1.

    Its mean over queries is MRR@k (Voorhees, The TREC-8 Question Answering Track Report, 1999).
    """
    relevant = gold(grades)
    return next((1 / rank for rank, document in enumerate(_top(ranking, k), 1) if document in relevant), 0.0)


def ndcg_at(ranking: Sequence[str], grades: Grades, k: int = 10) -> float:
    """Return nDCG@k, the normalised discounted cumulative gain, from 0 to 1; 0 if nothing is relevant.

    DCG is the sum of grade / log2(rank + 1) over the first k (Järvelin and Kekäläinen, Cumulated gain-based
    evaluation of IR techniques, TOIS 2002). It is divided by the DCG of the best possible order of all judged
    documents. The same as trec_eval's `ndcg_cut_k`.

    >>> ndcg_at(["a", "b"], {"a": 1, "b": 2}) < ndcg_at(["b", "a"], {"a": 1, "b": 2}) == 1.0
    True
    """
    ideal = _dcg(sorted((max(grade, 0) for grade in grades.values()), reverse=True)[:k])
    found = _dcg([max(grades.get(document, 0), 0) for document in _top(ranking, k)])
    return found / ideal if ideal else 0.0


def _dcg(gains: Sequence[int]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def abstention_scores(*, answerable: bool, refused: bool, kind: str = "") -> Mapping[str, float]:
    """Return the abstention scores of one question, each 0 or 1, as far as they apply.

    Their means over a set are:

    - `abstention_precision`: the share of the refused questions that is unanswerable
    - `abstention_recall`: the share of the unanswerable questions that is refused
    - `answerable_refused`: the share of the answerable questions that is refused
    - `near_answered`, `far_answered`: the share of the questions of this kind that is answered
    - `refused`: the share of all questions that is refused
    """
    scores = {"refused": float(refused)}
    if refused:
        scores["abstention_precision"] = float(not answerable)
    if kind in ("near", "far"):
        scores[f"{kind}_answered"] = float(not refused)
    scores["answerable_refused" if answerable else "abstention_recall"] = float(refused)
    return scores


class RiskPoint(NamedTuple):
    """A point of the curve: the share of questions with at least this confidence, and how many of these are wrong."""

    threshold: float
    coverage: float
    risk: float


class RiskCoverage(NamedTuple):
    """The risk–coverage curve, most confident questions first, and the area under it (AURC)."""

    points: tuple[RiskPoint, ...]
    area: float


def area_under_roc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Return the area under the ROC curve: the chance that a positive scores higher than a negative, 0 to 1.

    Ties count half. This is U / (n · m) of Mann and Whitney (1947). Raises ValueError if either is empty.

    >>> area_under_roc([0.9, 0.5], [0.5, 0.1])
    0.875
    """
    if not positives or not negatives:
        raise ValueError("the area needs a positive and a negative")
    ordered = sorted(negatives)
    below = sum(bisect_left(ordered, p) + bisect_right(ordered, p) for p in positives)
    return below / 2 / (len(positives) * len(negatives))


def risk_coverage(confidences: Sequence[float], wrong: Sequence[bool]) -> RiskCoverage:
    """Return the risk–coverage curve (El-Yaniv and Wiener, JMLR 2010) and its area (Geifman and El-Yaniv, 2017).

    Questions are answered from the most confident on. Coverage is the share answered, risk the share of these that is
    wrong. `points` has one point for each distinct confidence. The area is the mean risk over the coverages 1/n to 1;
    questions of one confidence share their errors evenly. Raises ValueError if there is no question.

    >>> risk_coverage([0.9, 0.8, 0.3], [False, False, True]).points[-1].risk
    0.3333333333333333
    """
    if not confidences:
        raise ValueError("a curve needs a question")
    pairs = sorted(zip(confidences, wrong, strict=True), key=lambda pair: -pair[0])
    points, risks = [], []
    taken = errors = 0
    for confidence, tied in groupby(pairs, key=lambda pair: pair[0]):
        flags = [flag for _, flag in tied]
        share = sum(flags) / len(flags)
        risks += [(errors + n * share) / (taken + n) for n in range(1, len(flags) + 1)]
        taken, errors = taken + len(flags), errors + sum(flags)
        points.append(RiskPoint(confidence, taken / len(pairs), errors / taken))
    return RiskCoverage(tuple(points), math.fsum(risks) / len(risks))
