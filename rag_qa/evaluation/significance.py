"""Whether two systems differ: a paired bootstrap interval of the difference of their per-query scores."""

from collections.abc import Sequence

import numpy as np

from rag_qa.errors import EvaluationError
from rag_qa.types import EvalReport, Value

BATCH = 1_000


class Interval(Value):
    """A mean difference (new minus baseline) over n queries, with its confidence interval."""

    difference: float
    low: float
    high: float
    confidence: float
    n: int

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def paired_interval(
    baseline: Sequence[float],
    new: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Return the percentile bootstrap interval of mean(new - baseline), the same query at the same place.

    Queries are drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13);
    the same seed gives the same interval. Raises EvaluationError unless both hold the same number of scores,
    and at least one.
    """
    if len(baseline) != len(new) or not len(new):
        raise EvaluationError(
            f"{len(baseline)} scores against {len(new)} cannot be paired; compare runs over the same queries"
        )
    differences = np.asarray(new, dtype=float) - np.asarray(baseline, dtype=float)
    means = _resampled_means(differences, resamples, np.random.default_rng(seed))
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(
        difference=float(differences.mean()),
        low=float(low),
        high=float(high),
        confidence=confidence,
        n=len(differences),
    )


def _resampled_means(differences: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """The mean of each resample, drawn in batches so that memory stays small over thousands of queries."""
    n = len(differences)
    sizes = [min(BATCH, resamples - begun) for begun in range(0, resamples, BATCH)]
    return np.concatenate([differences[rng.integers(0, n, (size, n))].mean(axis=1) for size in sizes])


def compare(baseline: EvalReport, new: EvalReport, score: str, *, seed: int = 0) -> Interval:
    """Return the interval of a score's difference over the queries to which it applies in both reports.

    Raises EvaluationError when there are none.
    """
    before, after = _by_query(baseline, score), _by_query(new, score)
    common = [query for query in before if query in after]
    if not common:
        raise EvaluationError(
            f"no query has the score {score!r} in both reports; compare two reports of the same set"
        )
    return paired_interval([before[q] for q in common], [after[q] for q in common], seed=seed)


def _by_query(report: EvalReport, score: str) -> dict[str, float]:
    return {row["id"]: row["scores"][score] for row in report.per_query if score in row["scores"]}
