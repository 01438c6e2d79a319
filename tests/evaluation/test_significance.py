import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from rag_qa.errors import EvaluationError
from rag_qa.evaluation import compare, paired_interval
from rag_qa.evaluation.significance import differences
from rag_qa.types import EvalReport

SCORES = st.floats(0, 1).map(lambda score: round(score, 3))


@settings(max_examples=20)
@given(st.lists(st.tuples(SCORES, SCORES), min_size=2, max_size=40))
def test_agrees_with_scipy(pairs: list[tuple[float, float]]) -> None:
    """The interval is that of scipy's paired percentile bootstrap with the same resamples."""
    baseline, new = (np.array(side) for side in zip(*pairs, strict=True))
    ours = paired_interval(baseline.tolist(), new.tolist(), resamples=2_500, seed=7)
    theirs = bootstrap(
        (new, baseline),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=2_500,
        rng=np.random.default_rng(7),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert ours.difference == pytest.approx(new.mean() - baseline.mean(), abs=1e-12)


def test_the_same_seed_gives_the_same_interval() -> None:
    """Run again, a comparison says the same; with another seed, almost the same."""
    rng = np.random.default_rng(1)
    baseline, new = rng.random(50).tolist(), rng.random(50).tolist()
    assert paired_interval(baseline, new) == paired_interval(baseline, new)
    assert paired_interval(baseline, new, seed=1).low == pytest.approx(
        paired_interval(baseline, new).low, abs=0.02
    )


def test_equal_systems_do_not_differ() -> None:
    """The same scores twice give an interval of exactly zero, which is not significant."""
    interval = paired_interval([0.1, 0.9, 0.5], [0.1, 0.9, 0.5])
    assert (interval.low, interval.high, interval.significant) == (0, 0, False)


def test_a_constant_gain_is_significant_whatever_the_spread() -> None:
    """Pairing removes the spread between queries: +.1 on each is certain, in either direction."""
    baseline = [0.0, 0.2, 0.4, 0.6, 0.8]
    better = [score + 0.1 for score in baseline]
    assert paired_interval(baseline, better).significant
    assert paired_interval(better, baseline).difference == pytest.approx(-0.1)
    assert paired_interval(better, baseline).significant


@pytest.mark.parametrize(("baseline", "new"), [([], []), ([0.1], [0.1, 0.2])])
def test_scores_that_do_not_pair_are_refused(baseline: list[float], new: list[float]) -> None:
    """Different numbers of scores, or none, cannot be compared."""
    with pytest.raises(EvaluationError, match="same queries"):
        paired_interval(baseline, new)


def report(scores: dict[str, float]) -> EvalReport:
    rows = tuple({"id": query, "scores": {"mrr@10": score}} for query, score in scores.items())
    return EvalReport(name="r", scores={}, per_query=rows, provenance={})


def test_reports_are_compared_query_by_query() -> None:
    """Rows are matched by id and not by position, and only over the queries that both reports score."""
    interval = compare(report({"a": 0.1, "b": 0.5, "c": 1.0}), report({"b": 0.6, "a": 0.2}), "mrr@10")
    assert interval.n == 2
    assert interval.difference == pytest.approx(0.1)


def test_reports_without_common_queries_are_refused() -> None:
    """Reports of different sets have nothing to compare, and the error names the score."""
    with pytest.raises(EvaluationError, match=r"mrr@10.*same set"):
        compare(report({"a": 1}), report({"b": 1}), "mrr@10")


def test_every_common_score_gets_its_difference() -> None:
    """Scores that no query has in both reports, such as seconds, are left out."""
    new = report({"a": 0.2, "b": 0.6}).model_copy(update={"scores": {"mrr@10": 0.4, "seconds_median": 1.0}})
    found = differences(report({"a": 0.1, "b": 0.5}), new)
    assert found.keys() == {"mrr@10"}
    assert found["mrr@10"].difference == pytest.approx(0.1)


def test_the_rounding_of_a_stored_report_is_no_difference() -> None:
    """A baseline that was stored with six digits does not differ from the same scores in full."""
    interval = compare(report({"a": 0.333333, "b": 0.666667}), report({"a": 1 / 3, "b": 2 / 3}), "mrr@10")
    assert (interval.low, interval.high) == (0, 0)


def test_reports_of_other_judgments_are_refused() -> None:
    """A baseline over another version of the set, or another split, is an error."""
    before, after = (
        report({"a": 0.1}).model_copy(update={"provenance": {"set_sha256": digest}}) for digest in "xy"
    )
    with pytest.raises(EvaluationError, match=r"other questions or judgments.*rag-qa eval"):
        differences(before, after)


def test_reports_without_a_common_score_are_refused() -> None:
    """A baseline without any score of the report has nothing to compare."""
    with pytest.raises(EvaluationError, match="no score"):
        differences(EvalReport(name="b", scores={}, per_query=(), provenance={}), report({"a": 1}))
