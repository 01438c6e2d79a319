import itertools
from pathlib import Path

import pytest

from rag_qa.errors import BackendError, EvaluationError
from rag_qa.evaluation import evaluate, load_question_set, read_results, run_question_set


@pytest.fixture
def run(world, write_set):
    """Run the tiny set against a scripted assistant, with a clock that ticks once a second."""

    def run(answers, **kwargs):
        ticks = itertools.count()
        return run_question_set(
            world.Scripted(answers), load_question_set(write_set()), clock=lambda: next(ticks), **kwargs
        )

    return run


def test_a_perfect_assistant(world, run) -> None:
    """Right answers and right refusals score 1, with nothing invalid and nothing falsely refused."""
    scores = run(world.RIGHT).scores
    for name in (
        "citation_recall",
        "citation_precision",
        "quote_exactness",
        "key_facts_shown",
        "abstention_precision",
        "abstention_recall",
        "paper_recall",
        "paper_precision",
        "recall@5",
        "mrr@10",
    ):
        assert scores[name] == 1, name
    assert scores["invalid_citations"] == scores["answerable_refused"] == 0


def test_answering_the_unanswerable_is_seen(world, run) -> None:
    """A near miss that is answered lowers abstention recall and the refusals of its kind, of no other."""
    answers = {**world.RIGHT, "how many GPUs?": world.RIGHT["how many players?"]}
    scores = run(answers).scores
    assert scores["abstention_recall"] == pytest.approx(2 / 3)
    assert (scores["refused/near"], scores["refused/far"]) == (0, 1)
    assert scores["abstention_precision"] == 1


def test_refusing_everything_is_seen(run) -> None:
    """An assistant that always abstains has perfect recall of it, and pays in precision, facts and papers."""
    scores = run({}).scores
    assert scores["abstention_recall"] == scores["answerable_refused"] == 1
    assert scores["abstention_precision"] == pytest.approx(3 / 5)
    assert scores["key_facts_shown"] == scores["paper_recall"] == 0
    assert "citation_recall" not in scores


def test_a_missing_fact_is_seen_and_named(world, run) -> None:
    """An answer without one of two facts halves the coverage, and the row says which fact is missing."""
    vague = world.answer(
        world.say("PCA is a game of 1024 players.", world.cite(world.GAME, "PCA is a game."))
    )
    report = run({**world.RIGHT, "how many players?": vague})
    assert report.scores["key_facts_shown/fact"] == 0.5
    assert report.per_query[1]["missing_facts"] == ["vector"]


def test_a_row_says_what_to_read(world, run) -> None:
    """A row holds the question, its gold papers by the index's ids, and the sentences that are not supported."""
    said = world.say("PCA is a fraud.", world.cite(world.GAME, "PCA is a game."))
    report = run({**world.RIGHT, "which papers are about games?": world.answer(said)})
    row = report.per_query[0]
    assert (row["text"], row["gold"]) == ("which papers are about games?", ["game", "unloaded"])
    assert row["unsupported"] == ["PCA is a fraud."]
    assert row["scores"]["faithfulness"] == 0
    assert report.per_query[1]["unsupported"] == []


def test_a_paper_beside_the_gold_ones_is_seen(world, run) -> None:
    """Citing a paper that is not gold lowers paper precision; leaving a gold one out lowers paper recall."""
    strange = world.answer(
        world.say("PCA is a game.", world.cite(world.GAME, "PCA is a game.")),
        world.say("Salt the water first.", world.cite(world.COOKING, "Salt the water first.")),
    )
    scores = run({**world.RIGHT, "which papers are about games?": strange}).scores
    assert scores["paper_precision/which"] == scores["paper_recall/which"] == 0.5
    assert scores["citation_recall"] == 1


def test_invalid_citations_are_counted_not_averaged(world, run) -> None:
    """Two invalid citations in five answers are reported as 2."""
    ghost = world.cite(world.GAME, "PCA").model_copy(update={"paper_id": "ghost"})
    report = run({**world.RIGHT, "how many players?": world.answer(world.say("PCA", ghost, ghost))})
    assert report.scores["invalid_citations"] == 2


def test_gold_papers_may_go_by_an_alias(world, run) -> None:
    """A gold id that is another id of an indexed paper counts as that paper (q1 names `game` as `g1`)."""
    assert run(world.RIGHT).scores["recall@5/which"] == 1


def test_a_gold_paper_below_the_cut_is_seen(world, write_set) -> None:
    """A paper that search ranks eleventh is not found, and one ranked third has a reciprocal rank of 1/3."""
    found = [world.COOKING, world.COOKING.model_copy(update={"id": "c2"}), world.GAME]
    scores = run_question_set(world.Scripted({}, found), load_question_set(write_set())).scores
    assert scores["mrr@10/fact"] == pytest.approx(1 / 3)
    assert scores["recall@10/which"] == 0.5


def test_a_told_error_about_the_question_counts_as_refusal(run) -> None:
    """An empty hostile question that is told to be one is a refusal with its reason."""
    row = run({}).per_query[4]
    assert row["refused"]
    assert "empty" in row["reason"]


def test_other_errors_are_not_swallowed(world, write_set) -> None:
    """A runtime that breaks ends the evaluation: its figures would mean nothing."""

    class Broken(world.Scripted):
        def ask(self, question: str, /):
            raise BackendError("the runtime crashed; run rag-qa doctor")

    with pytest.raises(BackendError):
        run_question_set(Broken({}), load_question_set(write_set()))


def test_seconds_leave_out_the_first_question(world, write_set) -> None:
    """Median and p95 are over the questions after the first, in total and by the stages of the answer."""
    readings = iter([0, 50, 50, 51, 60, 61, 70, 71, 80, 81])
    question_set = load_question_set(write_set())
    scores = run_question_set(world.Scripted(world.RIGHT), question_set, clock=lambda: next(readings)).scores
    assert scores["seconds_first"] == 50
    assert scores["seconds_median"] == scores["seconds_p95"] == 1
    assert scores["seconds_median/search"] == 0.25
    assert scores["seconds_p95/generate"] == 0.5


def test_asking_comes_before_searching(world, write_set) -> None:
    """The timed answer is never served by a cache that the evaluation's own search has filled."""
    assistant = world.Scripted(world.RIGHT)
    run_question_set(assistant, load_question_set(write_set()))
    assert assistant.calls[:2] == [
        "ask which papers are about games?",
        "search which papers are about games?",
    ]


def test_progress_is_told(world, run) -> None:
    """After each question the caller hears how many are done, of how many."""
    told: list[tuple[int, int]] = []
    run(world.RIGHT, progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 5) for n in range(1, 6)]


def test_provenance_says_what_was_measured(world, run, write_set) -> None:
    """The report names code, machine, date and set, and merges what the answers say of themselves."""
    provenance = run(world.RIGHT).provenance
    assert provenance["set_sha256"] == load_question_set(write_set()).sha256
    assert provenance["support"].endswith("grounding.verbatim")
    assert provenance["answers"] == {"model.name": "fake", "seed": 0, "varying": ["evidence"]}
    assert {"rag_qa", "commit", "date", "platform", "processor", "cores"} <= provenance.keys()


def test_an_index_of_another_corpus_is_an_error(world, write_set) -> None:
    """When the index holds none of the gold papers, the error says so instead of reporting zeros."""

    class Empty(world.Scripted):
        def paper(self, paper_id: str, /):
            raise KeyError(paper_id)

    with pytest.raises(EvaluationError, match=r"holds none of the 3 papers.*--index DIR"):
        run_question_set(Empty({}), load_question_set(write_set()))


def test_the_answers_are_left_as_they_were(world, run) -> None:
    """Scoring changes neither the answers nor anything in them."""
    before = {question: answer.model_dump_json() for question, answer in world.RIGHT.items()}
    run(world.RIGHT)
    assert {question: answer.model_dump_json() for question, answer in world.RIGHT.items()} == before


def test_evaluate_writes_results_and_fills_the_readme(world, write_set, tmp_path: Path) -> None:
    """One call scores a folder, writes NAME.json, and puts a row for it between the README's marks."""
    folder = write_set()
    readme = tmp_path / "eval" / "README.md"
    readme.write_text("before\n<!-- results: begin -->\nold\n<!-- results: end -->\nafter\n", "utf-8")
    report = evaluate(folder, world.Scripted(world.RIGHT), results=tmp_path / "eval" / "results")
    stored = read_results(tmp_path / "eval" / "results" / "tiny.json")
    assert stored.scores == pytest.approx(report.scores, abs=1e-6)
    text = readme.read_text("utf-8")
    assert "old" not in text
    assert "| tiny" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")


def test_evaluate_takes_a_beir_folder(world, tmp_path: Path) -> None:
    """A folder without set.toml is scored on retrieval alone."""
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "games"}\n', "utf-8")
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tunloaded\t1\n", "utf-8")
    scores = evaluate(tmp_path, world.Scripted({})).scores
    assert scores["recall@5"] == 1
    assert scores["mrr@10"] == pytest.approx(1 / 3)


def test_confidence_ranks_the_answerable_above_the_rest(world, run) -> None:
    """The areas are 1 and 0 where all answerable are surer than all others, half where an answer says nothing."""
    scores = run(world.RIGHT).scores
    assert scores["abstention_auroc"] == scores["abstention_auroc/near"] == 1
    refused = run({}).scores
    assert refused["abstention_auroc"] == 0.5
    assert refused["abstention_aurc"] > scores["abstention_aurc"]


def test_an_answers_own_confidence_is_what_counts(world, run) -> None:
    """Where the answer states its confidence, this is kept in the row and ranks it."""
    unsure = world.RIGHT["how many players?"].model_copy(update={"confidence": -0.5})
    report = run({**world.RIGHT, "how many players?": unsure})
    assert report.per_query[1]["confidence"] == -0.5
    assert report.scores["abstention_auroc"] == 0.5
