from itertools import pairwise, permutations

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, Qrel, R, ScoredDoc, nDCG

from rag_qa.evaluation.metrics import (
    abstention_scores,
    area_under_roc,
    ndcg_at,
    recall_at,
    reciprocal_rank_at,
    risk_coverage,
)
from rag_qa.evaluation.retrieval_runs import means

DOCUMENTS = [f"d{n}" for n in range(30)]
RANKINGS = st.lists(st.sampled_from(DOCUMENTS), min_size=1, unique=True)
GRADES = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 3), min_size=1)
DECISIONS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1)


@given(ranking=RANKINGS, grades=GRADES)
def test_agrees_with_ir_measures(ranking: list[str], grades: dict[str, int]) -> None:
    """nDCG@10, recall at any depth and MRR@10 equal those of ir_measures on any ranking and judgments."""
    qrels = [Qrel("q", document, grade) for document, grade in grades.items()]
    run = [ScoredDoc("q", document, -float(rank)) for rank, document in enumerate(ranking)]
    expected = ir_measures.calc_aggregate([nDCG @ 10, R @ 5, R @ 20, RR @ 10], qrels, run)
    assert ndcg_at(ranking, grades) == pytest.approx(expected[nDCG @ 10])
    assert recall_at(ranking, grades, 5) == pytest.approx(expected[R @ 5])
    assert recall_at(ranking, grades, 20) == pytest.approx(expected[R @ 20])
    assert reciprocal_rank_at(ranking, grades) == pytest.approx(expected[RR @ 10])


def test_a_document_ranked_twice_counts_once() -> None:
    """Repeating a relevant document neither raises a figure above 1 nor uses up a second rank."""
    assert ndcg_at(["a", "a"], {"a": 1}) == 1
    assert recall_at(["x", "x", "a"], {"a": 1}, 2) == 1
    assert reciprocal_rank_at(["x", "x", "a"], {"a": 1}) == 0.5


def test_a_worse_ranking_scores_less() -> None:
    """Pushing the relevant document down, and then out, lowers every figure to 0."""
    grades = {"a": 1}
    fillers = [f"x{n}" for n in range(10)]
    assert ndcg_at(["a", "x"], grades) > ndcg_at(["x", "a"], grades) > ndcg_at([*fillers, "a"], grades) == 0
    assert reciprocal_rank_at([*fillers, "a"], grades) == recall_at(fillers, grades, 10) == 0


def test_no_relevant_document_scores_zero() -> None:
    """Where nothing is judged relevant, every figure is 0 and nothing is divided by zero."""
    assert ndcg_at(["a"], {"a": 0}) == recall_at(["a"], {}, 5) == reciprocal_rank_at(["a"], {}) == 0


def test_a_depth_below_one_is_an_error() -> None:
    """Asking for the first 0 documents is an error of the caller."""
    with pytest.raises(ValueError, match="at least 1"):
        recall_at(["a"], {"a": 1}, 0)


@given(decisions=DECISIONS)
def test_abstention_figures_are_the_textbook_ones(decisions: list[tuple[bool, bool]]) -> None:
    """Means of the contributions are precision and recall of refusing, and the share of false refusals."""
    figures = means([{"scores": abstention_scores(answerable=a, refused=r)} for a, r in decisions])
    refused = sum(r for _, r in decisions)
    unanswerable = sum(not a for a, _ in decisions)
    right = sum(r and not a for a, r in decisions)
    answerable = len(decisions) - unanswerable
    assert figures["refused"] == pytest.approx(refused / len(decisions))
    assert figures.get("abstention_precision") == (pytest.approx(right / refused) if refused else None)
    assert figures.get("abstention_recall") == (pytest.approx(right / unanswerable) if unanswerable else None)
    false = refused - right
    assert figures.get("answerable_refused") == (pytest.approx(false / answerable) if answerable else None)


@given(
    ours=st.lists(st.integers(0, 5), min_size=1, max_size=20),
    others=st.lists(st.integers(0, 5), min_size=1, max_size=20),
)
def test_area_under_roc_is_the_chance_of_being_ranked_higher(ours: list[int], others: list[int]) -> None:
    """The area equals the share of pairs in the right order, a tie counting half."""
    pairs = [(a > b) + (a == b) / 2 for a in ours for b in others]
    assert area_under_roc(ours, others) == pytest.approx(sum(pairs) / len(pairs))


@given(pairs=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6))
def test_risk_coverage_is_the_mean_over_every_order_of_ties(pairs: list[tuple[int, bool]]) -> None:
    """The area is the mean risk over the coverages, averaged over all orders of equal confidence."""
    orders = [order for order in permutations(pairs) if all(a[0] >= b[0] for a, b in pairwise(order))]
    areas = []
    for order in orders:
        flags = [wrong for _, wrong in order]
        areas.append(sum(sum(flags[:n]) / n for n in range(1, len(flags) + 1)) / len(flags))
    confidences, wrong = zip(*pairs, strict=True)
    assert risk_coverage(confidences, wrong).area == pytest.approx(sum(areas) / len(areas))


def test_a_risk_coverage_curve_has_a_point_for_each_confidence() -> None:
    """Coverage and risk are those of answering from the point's confidence on; the last answers everything."""
    curve = risk_coverage([0.9, 0.9, 0.4, 0.1], [False, True, False, True])
    assert [(p.threshold, p.coverage, p.risk) for p in curve.points] == [
        (0.9, 0.5, 0.5),
        (0.4, 0.75, pytest.approx(1 / 3)),
        (0.1, 1.0, 0.5),
    ]


def test_figures_of_nothing_are_refused() -> None:
    """Neither area exists without questions."""
    with pytest.raises(ValueError, match="positive"):
        area_under_roc([], [0.5])
    with pytest.raises(ValueError, match="question"):
        risk_coverage([], [])
