import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score  # type: ignore[import-untyped]

from eval.studies.decisions import DECISIONS, decision_of, decision_scores


@pytest.mark.parametrize(
    ("text", "decision"), [("Yes, it is.", "yes"), ("No, it is not.", "no"), ("It may be.", "maybe")]
)
def test_the_first_word_decides(world, text: str, decision: str) -> None:
    """An answer that begins with neither yes nor no leaves it open."""
    assert decision_of(world.answer(world.say(text))) == decision


def test_a_refusal_decides_nothing(world) -> None:
    """Without an answer there is no decision, not even maybe."""
    assert decision_of(world.answer(abstained=True)) is None


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(
    st.lists(
        st.tuples(st.sampled_from([*DECISIONS, None]), st.sampled_from(DECISIONS)), min_size=1, max_size=30
    )
)
def test_scores_are_those_of_scikit_learn(pairs) -> None:
    """Accuracy and macro-F1 agree with the reference; no decision counts as one more wrong label."""
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
