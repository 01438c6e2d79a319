import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from rag_qa.evaluation.decisions import DECISIONS, decide_by_model, decide_by_rule, decision_scores
from rag_qa.testing import QueuedGenerator
from rag_qa.types import Paper


@pytest.fixture
def quoting(world):
    """A function that answers with quotes of one paper: the last of the sentences is the last of its abstract."""

    def quoted(*sentences: str):
        paper = Paper(id="p", abstract=" ".join(sentences))
        said = [world.say(text, world.cite(paper, text)) for text in reversed(sentences)]
        return world.answer(*said, papers=[paper])

    return quoted


@pytest.mark.parametrize(
    ("last", "decision"),
    [
        ("Pain fell in both groups.", "yes"),
        ("There was no significant difference.", "no"),
        ("Treatment failed to lower it.", "no"),
        ("Treatment may lower it.", "maybe"),
        ("It may not lower it.", "no"),
        ("Northern mayflies noticed nothing.", "yes"),
    ],
)
def test_the_last_quote_decides(quoting, last: str, decision: str) -> None:
    """A denial in the sentence nearest to the end is no, else a doubt maybe, else it is yes; whole words count."""
    assert decide_by_rule(quoting("It was not known whether it may help.", last)) == decision


def test_only_the_paper_cited_first_decides(world) -> None:
    """What other papers say does not count."""
    first = world.say("PCA is a game.", world.cite(world.GAME, "PCA is a game."))
    other = Paper(id="o", abstract="A long abstract before it all. It is not so.")
    second = world.say("It is not so.", world.cite(other, "It is not so."))
    assert decide_by_rule(world.answer(first, second)) == "yes"


def test_a_refusal_decides_nothing(world) -> None:
    """Without a citation there is no decision, and no model is asked."""
    generator = QueuedGenerator()
    assert decide_by_rule(world.answer(abstained=True)) is None
    assert decide_by_model(world.answer(abstained=True), generator) is None
    assert generator.prompts == []


def test_the_model_sees_the_evidence_and_the_question(quoting) -> None:
    """The prompt holds each quote once and the question, and the reply is the decision."""
    generator = QueuedGenerator(["maybe"])
    assert decide_by_model(quoting("One [3] thing.", "Another thing."), generator) == "maybe"
    (prompt,) = generator.prompts
    assert "- Another thing.\n- One (3) thing.\n\nQuestion: ?" in prompt.user


def test_a_reply_that_is_no_decision_is_an_error(quoting) -> None:
    """A runtime that ignores the grammar is seen."""
    with pytest.raises(ValueError, match="'Surely' is none of yes, no, maybe"):
        decide_by_model(quoting("One thing."), QueuedGenerator(["Surely"]))


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(
    st.lists(
        st.tuples(st.sampled_from([*DECISIONS, None]), st.sampled_from(DECISIONS)), min_size=1, max_size=30
    )
)
def test_scores_are_those_of_scikit_learn(pairs) -> None:
    """Accuracy and macro-F1 agree with the reference, where no decision is one more wrong label."""
    found, wanted = zip(*pairs, strict=True)
    scores = decision_scores(found, wanted)
    named = [decision or "none" for decision in found]
    assert scores["accuracy"] == pytest.approx(accuracy_score(wanted, named))
    theirs = f1_score(wanted, named, labels=DECISIONS, average="macro", zero_division=0)
    assert scores["macro_f1"] == pytest.approx(theirs)


def test_nothing_cannot_be_scored() -> None:
    """No decisions, and lists of different lengths, are errors."""
    with pytest.raises(ValueError, match="nothing to score"):
        decision_scores([], [])
    with pytest.raises(ValueError, match="zip"):
        decision_scores(["yes"], ["yes", "no"])
