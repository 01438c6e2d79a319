import gzip
import math
import re
import tempfile
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.errors import EvaluationError
from rag_qa.evaluation import RetrievalSet, Run, read_run, run_retrieval, write_run
from rag_qa.evaluation.retrieval_runs import score_foreign_run, score_run

IDS = st.from_regex(r"[^\s]{1,8}", fullmatch=True).filter(
    lambda text: len(text.split()) == 1 and text.isprintable()
)
SCORES = st.floats(-1e6, 1e6)
FOUND = st.lists(st.tuples(IDS, SCORES), min_size=1, max_size=8, unique_by=lambda pair: pair[0])


def judged(qrels: dict[str, dict[str, int]]) -> RetrievalSet:
    queries = {query: f"about {query}" for query in qrels}
    return RetrievalSet(name="tiny", queries=queries, qrels=qrels, documents=None, sha256="0" * 64)


def best_first(found: list[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(found, key=lambda pair: -pair[1]))


@given(st.dictionaries(IDS, FOUND, max_size=4))
def test_a_run_survives_writing_and_reading(rankings: dict[str, list[tuple[str, float]]]) -> None:
    """A run read back holds the same documents in the same order with the same scores, ties included."""
    run = Run(name="tag", rankings={query: best_first(found) for query, found in rankings.items()})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.trec"
        write_run(run, path)
        assert read_run(path).rankings == run.rankings


def test_other_tools_read_our_runs(tmp_path: Path) -> None:
    """A run file is read by ir_measures and scores there as it does here."""
    beir = judged({"q1": {"a": 1, "b": 2}, "q2": {"c": 1}})
    run = Run(name="my run", rankings={"q1": (("x", 3.0), ("b", 2.0), ("a", 1.0)), "q2": (("c", 0.5),)})
    write_run(run, tmp_path / "run.trec")
    figures = [ir_measures.nDCG @ 10, ir_measures.R @ 5, ir_measures.RR @ 10]
    theirs = ir_measures.calc_aggregate(
        figures,
        [ir_measures.Qrel(q, d, g) for q, grades in beir.qrels.items() for d, g in grades.items()],
        ir_measures.read_trec_run(str(tmp_path / "run.trec")),
    )
    ours = score_run(run, beir).scores
    expected = [theirs[figure] for figure in figures]
    assert [ours["ndcg@10"], ours["recall@5"], ours["mrr@10"]] == pytest.approx(expected)


def test_an_id_with_white_space_cannot_be_written(tmp_path: Path) -> None:
    """An id that would break the columns is refused instead of being written."""
    with pytest.raises(EvaluationError, match="without white space"):
        write_run(Run(name="r", rankings={"q": (("a b", 1.0),)}), tmp_path / "run.trec")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("q Q0 d 1 0.5\n", 1, "5 fields"),
        ("q Q0 d 1 0.5 t\nq Q0 d 2 0.4 t\n", 2, "found twice"),
        ("q Q0 d one 0.5 t\n", 1, "not both numbers"),
        ("q Q0 d 1 nan t\n", 1, "not both numbers"),
    ],
)
def test_a_broken_run_is_an_error_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    """The error of a broken run names file, line and the right shape."""
    path = tmp_path / "run.trec"
    path.write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match=rf"{re.escape(path.name)}, line {line}: .*{message}"):
        read_run(path)


def test_runs_are_ordered_by_score_and_then_rank(tmp_path: Path) -> None:
    """Lines in any order are ranked by score, and equal scores by the rank given."""
    path = tmp_path / "run.trec"
    path.write_text("q Q0 c 3 0.5 t\nq Q0 a 9 0.9 t\nq Q0 b 2 0.5 t\n", "utf-8")
    assert read_run(path).ranking("q") == ("a", "b", "c")


def test_a_search_is_scored_against_the_judgments(world) -> None:
    """Every query is searched and scored, under the index's ids, with a row for each."""
    report = run_retrieval(world.Scripted({}), judged({"q1": {"g1": 1}, "q2": {"unloaded": 1}}))
    assert [row["scores"]["mrr@10"] for row in report.per_query] == [1, pytest.approx(1 / 3)]
    assert report.scores["ndcg@10"] == pytest.approx((1 + 1 / math.log2(4)) / 2)
    assert {"recall@5", "recall@20", "recall@100"} <= report.scores.keys()


def test_papers_outside_the_index_count_as_not_found(world) -> None:
    """A relevant paper that the index does not hold halves recall, and is named in the provenance."""
    report = run_retrieval(world.Scripted({}), judged({"q1": {"game": 1, "ghost": 1}}))
    assert report.scores["recall@5"] == 0.5
    assert report.provenance["gold_not_in_index"] == ["ghost"]


def test_a_shallow_run_has_no_deep_figures(world) -> None:
    """At depth 5 no recall at 20 is claimed, nor any figure at 10."""
    report = run_retrieval(world.Scripted({}), judged({"q1": {"game": 1}}), k=5)
    assert report.scores.keys() == {"recall@5"}


def test_a_query_missing_from_a_run_scores_zero() -> None:
    """A run made elsewhere that leaves a query out loses there instead of shrinking the mean."""
    scores = score_run(
        Run(name="r", rankings={"q1": (("a", 1.0),)}), judged({"q1": {"a": 1}, "q2": {"b": 1}})
    ).scores
    assert scores["recall@5"] == scores["ndcg@10"] == 0.5


def test_a_gzipped_run_is_the_plain_one(tmp_path: Path) -> None:
    """A name that ends in .gz gets the same lines gzipped, the same bytes each time, and is read back."""
    run = Run(name="tag", rankings={"q": (("a", 2.0), ("b", 1.0))})
    for name in ("run.trec", "run.trec.gz", "again.trec.gz"):
        write_run(run, tmp_path / name)
    packed = (tmp_path / "run.trec.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "run.trec").read_bytes()
    assert packed == (tmp_path / "again.trec.gz").read_bytes()
    assert read_run(tmp_path / "run.trec.gz").rankings == run.rankings


def test_a_run_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Where the folder is not there, the error names the option to change."""
    with pytest.raises(EvaluationError, match=r"cannot be written.*--run"):
        write_run(Run(name="r", rankings={}), tmp_path / "nowhere" / "run.trec")


def test_a_run_file_names_papers_as_the_judgments_do(world, tmp_path: Path) -> None:
    """Where the index knows a relevant paper by another id, other tools still score the file as we do."""
    beir = judged({"q1": {"g1": 1}, "q2": {"unloaded": 1, "game": 1}})
    report = run_retrieval(world.Scripted({}), beir, run_file=tmp_path / "run.trec")
    run = read_run(tmp_path / "run.trec")
    assert run.ranking("q1") == ("g1", "cooking", "unloaded")
    assert run.ranking("q2") == ("game", "cooking", "unloaded")
    theirs = ir_measures.calc_aggregate(
        [ir_measures.nDCG @ 10],
        [ir_measures.Qrel(q, d, g) for q, grades in beir.qrels.items() for d, g in grades.items()],
        ir_measures.read_trec_run(str(tmp_path / "run.trec")),
    )
    assert report.scores["ndcg@10"] == pytest.approx(theirs[ir_measures.nDCG @ 10])


def test_equal_scores_stay_apart_in_a_run_file(world, tmp_path: Path) -> None:
    """Papers found with one score keep their order in tools that hold 32 bits and order ties by id."""

    class Tied(world.Scripted):
        def search(self, question: str, /, *, k: int):
            return [hit.model_copy(update={"score": 0.1}) for hit in super().search(question, k=k)]

    run_retrieval(Tied({}), judged({"q1": {"game": 1}}), run_file=tmp_path / "run.trec")
    found = read_run(tmp_path / "run.trec").rankings["q1"]
    assert [document for document, _ in found] == ["game", "cooking", "unloaded"]
    scores = [np.float32(score) for _, score in found]
    assert scores[0] > scores[1] > scores[2] > 0.0999


def test_a_foreign_run_may_use_any_id_of_a_paper(world) -> None:
    """A run from elsewhere is scored alike under the judgments' ids, the index's, and other aliases."""
    beir = judged({"q1": {"g1": 1}})
    for name in ("g1", "game"):
        run = Run(name="theirs", rankings={"q1": (("x", 2.0), (name, 1.0))})
        assert score_foreign_run(world.Scripted({}), run, beir).scores["mrr@10"] == 0.5


def test_a_run_over_other_queries_is_refused(world) -> None:
    """A run that ranks no query of the set is an error instead of a row of zeros."""
    run = Run(name="theirs", rankings={"other": (("game", 1.0),)})
    with pytest.raises(EvaluationError, match=r"'theirs' ranks no query of 'tiny'.*--split"):
        score_foreign_run(world.Scripted({}), run, judged({"q1": {"game": 1}}))
