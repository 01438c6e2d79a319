"""Figures of a ranking and of abstention, as pure functions of one question.

Over a set, every figure is the mean over the questions to which it applies. What they do not know: scores,
ties (a ranking is an order already) and judgments that are missing (unjudged counts as not relevant).
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
    """Return the share of relevant documents (grade ≥ 1) among the first k; 0 when none is relevant.

    trec_eval's `recall_k`.
    """
    relevant = gold(grades)
    return len(relevant.intersection(_top(ranking, k))) / len(relevant) if relevant else 0.0


def reciprocal_rank_at(ranking: Sequence[str], grades: Grades, k: int = 10) -> float:
    """Return 1 / rank of the first relevant document (grade ≥ 1) among the first k, else 0.

    Its mean is MRR@k (Voorhees, TREC-8 question answering track, 1999).
    """
    relevant = gold(grades)
    return next((1 / rank for rank, document in enumerate(_top(ranking, k), 1) if document in relevant), 0.0)


def ndcg_at(ranking: Sequence[str], grades: Grades, k: int = 10) -> float:
    """Return normalised discounted cumulative gain of the first k, from 0 to 1; 0 when none is relevant.

    The gain is the grade and the discount 1 / log2(rank + 1) (Järvelin and Kekäläinen, 2002), divided by the
    same sum for the best possible order of all judged documents: trec_eval's `ndcg_cut_k`.
    """
    ideal = _dcg(sorted((max(grade, 0) for grade in grades.values()), reverse=True)[:k])
    found = _dcg([max(grades.get(document, 0), 0) for document in _top(ranking, k)])
    return found / ideal if ideal else 0.0


def _dcg(gains: Sequence[int]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def abstention_scores(*, answerable: bool, refused: bool, kind: str = "") -> Mapping[str, float]:
    """Return what one question contributes to the figures of abstention, as far as they apply.

    - `abstention_precision`: of the questions refused, the share that is unanswerable
    - `abstention_recall`: of the unanswerable questions, the share refused
    - `answerable_refused`: of the answerable questions, the share refused
    - `near_answered`, `far_answered`: of the questions of this kind, the share answered
    - `refused`: of all questions (in a report also by kind), the share refused
    """
    scores = {"refused": float(refused)}
    if refused:
        scores["abstention_precision"] = float(not answerable)
    if kind in ("near", "far"):
        scores[f"{kind}_answered"] = float(not refused)
    scores["answerable_refused" if answerable else "abstention_recall"] = float(refused)
    return scores


class RiskPoint(NamedTuple):
    """Of all questions the share answered where confidence reaches the threshold, and how many of these are wrong."""

    threshold: float
    coverage: float
    risk: float


class RiskCoverage(NamedTuple):
    """Risk at every coverage, the most confident first, and its mean over the coverages 1/n to 1."""

    points: tuple[RiskPoint, ...]
    area: float


def area_under_roc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Return the chance that a positive scores higher than a negative, ties counting half; both not empty.

    The statistic of Mann and Whitney (1947), which is the area under the ROC curve.
    """
    if not positives or not negatives:
        raise ValueError("the area needs a positive and a negative")
    ordered = sorted(negatives)
    below = sum(bisect_left(ordered, p) + bisect_right(ordered, p) for p in positives)
    return below / 2 / (len(positives) * len(negatives))


def risk_coverage(confidences: Sequence[float], wrong: Sequence[bool]) -> RiskCoverage:
    """Return the share wrong among the questions answered, at every threshold; not empty.

    Answers are taken from the most confident on. Those of one confidence are taken together, so that `points` has one
    for each confidence; in the area (AURC: Geifman and El-Yaniv, 2017) each order among them counts alike.
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
