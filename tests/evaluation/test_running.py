import itertools
import json
from pathlib import Path

import pytest

from rag_qa.errors import BackendError, EvaluationError
from rag_qa.evaluation import evaluate, load_question_set, read_results, render, run_question_set
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.protocols import Prompt
from rag_qa.testing import QueuedGenerator


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


def test_an_error_about_the_question_counts_as_refusal(run) -> None:
    """An empty question, which is an error, counts as a refusal with its reason."""
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


def test_progress_is_reported(world, run) -> None:
    """After each question the caller hears how many are done, of how many."""
    steps: list[tuple[int, int]] = []
    run(world.RIGHT, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(n, 5) for n in range(1, 6)]


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
    """The areas are 1 and 0 where all answerable are surer than all others, half if an answer has no confidence."""
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


def ask_set(world, tmp_path: Path, question: dict, answer, qrels: str, **options):
    """Run a set of one question."""
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "set.toml").write_text('name = "one"\ndescription = ""\ncorpus = "x"\n', "utf-8")
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "answerable": True, **question}), "utf-8")
    (folder / "qrels.tsv").write_text(f"query_id\tdoc_id\trelevance\n{qrels}", "utf-8")
    assistant = world.Scripted({question["text"]: answer})
    return run_question_set(assistant, load_question_set(folder), **options)


def test_papers_that_a_list_may_hold_count_neither_way(world, tmp_path: Path) -> None:
    """Of three papers listed one is gold, one may be there, by any of its ids, and one is wrong."""
    listed = world.answer(
        world.say("PCA is a game.", world.cite(world.GAME, "PCA is a game.")),
        world.say("It runs in parallel.", world.cite(world.UNLOADED, "It runs in parallel.")),
        world.say("Salt the water first.", world.cite(world.COOKING, "Salt the water first.")),
    )
    asked = {"text": "which?", "kind": "which", "maybe": ["g1", "not here"]}
    scores = ask_set(world, tmp_path, asked, listed, "q\tunloaded\t1\n").scores
    assert (scores["list_precision"], scores["list_recall"]) == (0.5, 1.0)
    assert scores["paper_precision"] == 0.5


@pytest.mark.parametrize(("said", "score"), [("Yes, a game.", 1.0), ("No, a game.", 0.0), ("A game.", 0.0)])
def test_yes_and_no_are_scored(world, tmp_path: Path, said: str, score: float) -> None:
    """An answer is right if it begins with the right word."""
    answer = world.answer(world.say(said, world.cite(world.GAME, "PCA is a game.")))
    asked = {"text": "is it?", "kind": "fact", "yesno": "yes"}
    assert ask_set(world, tmp_path, asked, answer, "q\tgame\t1\n").scores["yesno_accuracy"] == score


def test_totals_have_intervals_and_counts_have_none(world, run) -> None:
    """Each mean lies in its interval; what never varies has one without width."""
    report = run({**world.RIGHT, "how many GPUs?": world.RIGHT["how many players?"]})
    assert "invalid_citations" not in report.intervals
    assert {"recall@5", "abstention_auroc", "words_shown"} <= report.intervals.keys()
    for name, (low, high) in report.intervals.items():
        assert low <= report.scores[name] <= high, name
    assert report.intervals["mrr@10"] == (1.0, 1.0)


def test_near_and_far_answers_are_counted_apart(world, run) -> None:
    """A near miss that is answered is no answer to a far question."""
    scores = run({**world.RIGHT, "how many GPUs?": world.RIGHT["how many players?"]}).scores
    assert (scores["near_answered"], scores["far_answered"]) == (1.0, 0.0)


def test_a_set_without_prose_has_no_scores_of_it(world, run) -> None:
    """Without prose there are no scores of prose; with some prose, a quote states no fact in prose."""
    quotes = {
        text: found.model_copy(
            update={"sentences": tuple(s.model_copy(update={"kind": "quote"}) for s in found.sentences)}
        )
        for text, found in world.RIGHT.items()
    }
    assert not {"key_facts_prose", "words_prose"} & run(quotes).scores.keys()
    assert run(world.RIGHT).scores["key_facts_prose"] == 1.0


def test_cached_questions_are_not_timed(world, write_set, tmp_path: Path) -> None:
    """A question whose answer took a kept result is marked, and left out of the seconds."""
    prompt = Prompt(system="s", user="u")
    limits = {"grammar": None, "max_tokens": 9, "temperature": 0.0, "seed": 0}

    class Writing(world.Scripted):
        def ask(self, question: str, /):
            if question:
                list(cache.generate(prompt.model_copy(update={"user": question}), **limits))
            return super().ask(question)

    questions = load_question_set(write_set())
    cache = CachedGenerator(QueuedGenerator(["one"] * 4), tmp_path / "kept")
    first = run_question_set(Writing(world.RIGHT), questions, cache=cache)
    assert first.provenance["model_calls"] == {"asked": 4, "cached": 0}
    cache = CachedGenerator(QueuedGenerator(), tmp_path / "kept")
    ticks = itertools.count()
    again = run_question_set(Writing(world.RIGHT), questions, cache=cache, clock=lambda: next(ticks) ** 2)
    assert [row["cached_calls"] for row in again.per_query] == [1, 1, 1, 1, 0]
    assert "seconds_first" not in again.scores
    assert again.scores["seconds_median"] == 9**2 - 8**2
    assert "From the cache: 4 of 4 calls" in render(again)
    assert "From the cache" not in render(first)
