"""Bootstrap intervals: how far a score may differ by the choice of questions alone, and whether two systems differ."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rag_qa.errors import EvaluationError
from rag_qa.types import EvalReport, Interval

BATCH = 1_000
DIGITS = 6  # stored reports are rounded so: a baseline that was stored must not differ by its rounding


def bootstrap_interval(
    values: Sequence[float] | np.ndarray,
    statistic: Callable[..., Any] = np.mean,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the bounds of the percentile bootstrap interval of a statistic (Efron, 1979).

    Args:
        values: one number for each question; at least one.
        statistic: numpy's mean or median, or anything else that takes an array and an `axis`.
        confidence: the share of the resampled statistics between the bounds, 0 to 1.
        resamples: how many sets of as many values are drawn with replacement.
        seed: the same seed gives the same interval.
    """
    data, rng = np.asarray(values, dtype=float), np.random.default_rng(seed)
    # Drawn in batches, so that memory stays small over thousands of questions.
    sizes = [min(BATCH, resamples - begun) for begun in range(0, resamples, BATCH)]
    found = [statistic(data[rng.integers(0, len(data), (size, len(data)))], axis=1) for size in sizes]
    return _bounds(np.concatenate(found), confidence)


def area_interval(
    positives: Sequence[float], negatives: Sequence[float], *, resamples: int = 2_000, seed: int = 0
) -> tuple[float, float]:
    """Return the bounds of the 95% percentile bootstrap interval of the area under the ROC curve.

    Positives and negatives are drawn separately, so that each resample has as many of both. Neither may be empty.
    """
    rng = np.random.default_rng(seed)
    ours, others = np.asarray(positives, dtype=float), np.asarray(negatives, dtype=float)
    wins = np.sign(ours[:, None] - others[None, :]) / 2 + 0.5
    # How often each was drawn, as shares: the area of a resample is the mean of its pairs.
    p = rng.multinomial(len(ours), np.full(len(ours), 1 / len(ours)), resamples) / len(ours)
    n = rng.multinomial(len(others), np.full(len(others), 1 / len(others)), resamples) / len(others)
    return _bounds(np.einsum("rp,pn,rn->r", p, wins, n, optimize=True), 0.95)


def _bounds(values: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def paired_interval(
    baseline: Sequence[float] | np.ndarray,
    new: Sequence[float] | np.ndarray,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Return the percentile bootstrap interval of mean(new - baseline), both in the same order of questions.

    Questions are drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13).
    Raises EvaluationError if the two differ in length or are empty.

    >>> paired_interval([0.0, 0.5, 1.0], [0.5, 1.0, 1.5]).low
    0.5
    """
    if len(baseline) != len(new) or not len(new):
        raise EvaluationError(
            f"{len(baseline)} scores against {len(new)} cannot be paired; compare runs over the same queries"
        )
    differences = np.asarray(new, dtype=float) - np.asarray(baseline, dtype=float)
    low, high = bootstrap_interval(differences, confidence=confidence, resamples=resamples, seed=seed)
    return Interval(
        difference=float(differences.mean()), low=low, high=high, confidence=confidence, n=len(differences)
    )


def compare(baseline: EvalReport, new: EvalReport, score: str, *, seed: int = 0) -> Interval:
    """Return the interval of a score's difference over the questions that have the score in both reports.

    Raises EvaluationError if there are none.
    """
    before, after = _by_query(baseline, score), _by_query(new, score)
    common = [query for query in before if query in after]
    if not common:
        raise EvaluationError(
            f"no query has the score {score!r} in both reports; compare two reports of the same set"
        )
    return paired_interval([before[q] for q in common], [after[q] for q in common], seed=seed)


def differences(baseline: EvalReport, new: EvalReport) -> dict[str, Interval]:
    """Return the interval of every score that some question has in both reports.

    A count is compared as its mean a question. Times are not compared. Raises EvaluationError if the reports
    share no score, or were judged by different versions of a set.
    """
    judged = [report.provenance.get("set_sha256") for report in (baseline, new)]
    if all(judged) and judged[0] != judged[1]:
        raise EvaluationError(
            f"the baseline {baseline.name!r} was judged by other questions or judgments than {new.name!r}; "
            "make it anew with `rag-qa eval` on this set and split, or give its TREC run file"
        )
    before, after = _names(baseline), _names(new)
    if not before & after:
        raise EvaluationError(
            f"the baseline {baseline.name!r} has no score of a query of {new.name!r}; "
            "give a report or a run of the same set"
        )
    return {score: compare(baseline, new, score) for score in new.scores if score in before & after}


def _names(report: EvalReport) -> set[str]:
    return {name for row in report.per_query for name in row["scores"]}


def _by_query(report: EvalReport, score: str) -> dict[str, float]:
    rows = (row for row in report.per_query if score in row["scores"])
    return {row["id"]: round(row["scores"][score], DIGITS) for row in rows}
