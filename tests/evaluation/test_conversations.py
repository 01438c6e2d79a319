import json
from pathlib import Path
from typing import Any

import pytest

from rag_qa.errors import EvaluationError, QuestionError
from rag_qa.evaluation import evaluate, read_results
from rag_qa.evaluation.conversations import load_conversations, run_conversations
from rag_qa.evaluation.reports import render, summary
from rag_qa.types import Query

HEADER = 'name = "talk"\ndescription = ""\ncorpus = "sample"\n'
FIRST = {"question": "games?", "kind": "first", "shows": ["game", "unloaded"]}


def turn(question, expect, kind="number", shows=("game",)):
    """A turn after the first."""
    return {"question": question, "kind": kind, "expect": expect, "shows": list(shows)}


@pytest.fixture
def talk(tmp_path):
    """Write a set of conversations, one for each list of turns, and return its folder."""

    def write(*turns_of):
        rows = [{"id": f"c{n}", "turns": turns} for n, turns in enumerate(turns_of, 1)]
        (tmp_path / "set.toml").write_text(HEADER)
        (tmp_path / "conversations.jsonl").write_text("\n".join(map(json.dumps, rows)))
        return tmp_path

    return write


@pytest.fixture
def talker(world: Any):
    """An assistant over three papers that answers every question with a sentence on games, and keeps histories."""

    class Talker(world.Scripted):
        def __init__(self):
            super().__init__({})
            self.histories = []

        def understand(self, question, /, *, history=()):
            return Query(text=question, topic=question)

        def papers(self):
            return [world.GAME, world.UNLOADED, world.COOKING]

        def ask(self, question, /, *, history=()):
            self.histories.append(list(history))
            return world.answer(world.say("A game.", world.cite(world.GAME, "PCA is a game.")))

    return Talker()


def scores(monkeypatch, talker, folder, **resolved):
    """The scores of a set whose questions are resolved to what is given."""
    given = {q.replace("_", " "): r for q, r in resolved.items()}
    monkeypatch.setattr(talker, "understand", lambda q, history: given.get(q, Query(text=q, topic=q)))
    return run_conversations(talker, load_conversations(folder)).scores


@pytest.mark.parametrize(
    ("only", "within", "right"),
    [
        ({"place": 2}, ("unloaded",), 1),
        ({"place": 2}, ("game",), 0),
        ({"place": 2}, None, 0),
        ({"place": 2}, ("unloaded", "game"), 0),
        ({"places": [1, 2]}, ("unloaded", "game"), 1),
        ({"all_of_previous": True}, ("game", "unloaded"), 1),
        ({"all_of_previous": True}, ("game",), 0),
        ({"ids": ["cooking"]}, ("cooking",), 1),
    ],
)
def test_a_restriction_must_be_met_exactly(monkeypatch, talker, talk, only, within, right):
    """The papers searched are exactly those at the positions in the list shown last, in any order."""
    folder = talk([FIRST, turn("it", {"only": only})])
    found = scores(monkeypatch, talker, folder, it=Query(text="it", topic="it", within=within))
    assert found == {"resolution": right, "resolution/number": right}


def test_places_are_those_of_the_last_list_shown(monkeypatch, talker, talk):
    """A turn that showed nothing leaves the list before it valid."""
    refused = turn("why", {"gold": ["game"]}, shows=())
    folder = talk([FIRST, refused, turn("it", {"only": {"place": 2}})])
    resolved = {
        "why": Query(text="why a game", topic="why a game"),
        "it": Query(text="it", topic="it", within=("unloaded",)),
    }
    assert scores(monkeypatch, talker, folder, **resolved)["resolution"] == 1


@pytest.mark.parametrize(
    ("question", "within", "gold", "among", "right"),
    [
        ("salt the water", None, ["cooking"], 1, 1),
        ("zebras", None, ["cooking"], 3, 0),
        ("zebras", ("cooking",), ["cooking"], 1, 1),
        ("salt the water", ("game",), ["cooking"], 3, 0),
        ("salted games", None, ["cooking", "game"], 2, 1),
        ("salted games", None, ["cooking", "game"], 1, 0),
    ],
)
def test_gold_is_looked_for_by_words(monkeypatch, talker, talk, question, within, gold, among, right):
    """Every gold paper must be among the first that BM25 finds for the question, in the papers that it may search."""
    folder = talk([FIRST, turn("it", {"gold": gold, "among": among})])
    found = scores(monkeypatch, talker, folder, it=Query(text=question, topic=question, within=within))
    assert found["resolution"] == right


@pytest.mark.parametrize(
    ("resolved", "right"),
    [
        (Query(text="what is soup?", topic="what is soup?"), 1),
        (Query(text="what is soup? (after: games?)", topic="what is soup? (after: games?)"), 0),
        (Query(text="what is soup?", topic="what is soup?", within=("game",)), 0),
    ],
)
def test_what_stands_alone_must_stay_as_it_is(monkeypatch, talker, talk, resolved, right):
    """A change of topic leaks if a word or a restriction of the turns before is added."""
    folder = talk([FIRST, turn("what is soup?", {"alone": True}, "change")])
    found = scores(monkeypatch, talker, folder, **{"what_is_soup?": resolved})
    assert (found["resolution"], found["leaks"]) == (right, 1 - right)


@pytest.mark.parametrize(("states", "right"), [(["a GAME"], 1), (["a game", "Nash"], 0)])
def test_metadata_are_looked_for_in_the_answer(monkeypatch, talker, talk, states, right):
    """Where words are to be stated, the assistant is asked with the fixed history, and resolution stays apart."""
    folder = talk([FIRST, turn("it", {"only": {"place": 1}, "states": states}, "metadata")])
    found = scores(monkeypatch, talker, folder, it=Query(text="it", topic="it", within=("game",)))
    assert (found["resolution"], found["metadata"]) == (1, right)
    ((before,),) = talker.histories
    assert (before.question, [paper.id for paper in before.papers]) == ("games?", ["game", "unloaded"])


def test_a_declined_question_is_not_resolved(monkeypatch, talker, talk):
    """A position that no paper has counts as missed, and its row holds the complaint."""

    def decline(question, history):
        raise QuestionError("no number 7")

    monkeypatch.setattr(talker, "understand", decline)
    expect = {"only": {"place": 1}, "states": ["x"]}
    report = run_conversations(talker, load_conversations(talk([FIRST, turn("it", expect)])))
    assert report.per_query[0]["problem"] == "no number 7"
    assert (report.scores["resolution"], report.scores["metadata"]) == (0, 0)


@pytest.mark.parametrize(
    ("turns", "complaint"),
    [
        ([FIRST], "turns"),
        ([FIRST, {"question": "it", "kind": "number"}], "every turn but the first"),
        ([FIRST, turn("it", {})], "one of only, gold and alone"),
        ([FIRST, turn("it", {"alone": True, "gold": ["game"]})], "one of only, gold and alone"),
        ([FIRST, turn("it", {"only": {"place": 3}})], "a place that the list before does not have"),
        ([FIRST, turn("it", {"only": {"place": 1, "ids": ["x"]}})], "in one way"),
        ([FIRST, turn("it", {"alone": True}, kind="joke")], "kind"),
    ],
)
def test_a_mistake_in_a_set_is_an_error_with_its_line(talk, turns, complaint):
    """The error of a broken conversation names file, line and an example."""
    with pytest.raises(EvaluationError, match=rf"conversations\.jsonl, line 1: .*{complaint}.*a line is"):
        load_conversations(talk(turns))


def test_two_conversations_cannot_share_an_id(talk):
    """Ids are unique, and a set without conversations is none."""
    folder = talk([FIRST, turn("it", {"alone": True})])
    file = folder / "conversations.jsonl"
    file.write_text(f"{file.read_text()}\n{file.read_text()}")
    with pytest.raises(EvaluationError, match="is in the file twice"):
        load_conversations(folder)
    file.write_text("\n")
    with pytest.raises(EvaluationError, match="no conversations"):
        load_conversations(folder)


def test_papers_that_the_index_lacks_are_an_error(talker, talk):
    """A set over another corpus is an error that names the first missing paper."""
    folder = talk([FIRST, turn("it", {"alone": True}, shows=["gone"])])
    with pytest.raises(EvaluationError, match="shows 'gone', which the index does not hold"):
        run_conversations(talker, load_conversations(folder))


def test_evaluate_runs_a_folder_of_conversations(talker, talk, tmp_path):
    """`evaluate` takes the folder for what it is; its report is written, shown by kind, and has no headline row."""
    folder = talk([FIRST, turn("what is soup made of?", {"alone": True}, "change")])
    report = evaluate(folder, talker, results=tmp_path / "results")
    assert read_results(tmp_path / "results" / "talk.json").scores == report.scores
    assert "| change | 1         | 1.000      | 0.000 |" in render(report)
    assert "talk" not in summary([report])


@pytest.mark.parametrize(("folder", "least"), [("conversations", 60), ("dev", 40)])
def test_the_sets_that_ship_are_sound(folder, least):
    """Both sets load, and hold changes of topic and every other kind of turn."""
    loaded = load_conversations(Path(__file__).parents[2] / "eval" / "sets" / folder)
    kinds = [turn.kind for c in loaded.conversations for turn in c.turns]
    assert len(loaded.conversations) == least
    assert len(set(kinds)) == 9
    assert kinds.count("change") >= 10


@pytest.mark.parametrize("option", ["run_file", "baseline"])
def test_conversations_have_no_run(talker, talk, tmp_path, option):
    """A run to write or to compare with is declined: conversations rank nothing."""
    folder = talk([FIRST, turn("what is soup made of?", {"alone": True}, "change")])
    with pytest.raises(EvaluationError, match="leave --run and --baseline out"):
        evaluate(folder, talker, **{option: tmp_path / "run.txt"})
