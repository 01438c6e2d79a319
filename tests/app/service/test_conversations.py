import pytest

from rag_qa.app.service.conversations import TURNS, Conversations
from rag_qa.errors import UnknownNameError
from rag_qa.types import Answer


def answer(question):
    """An answer to a question that says nothing."""
    return Answer(
        question=question, abstained=True, reason="x", sentences=(), papers=(), provenance={}, timings={}
    )


def test_the_least_recently_used_is_forgotten():
    """Of more conversations than are kept, the one goes that was used longest ago."""
    kept = Conversations(2)
    for key in "ab":
        kept.keep(key, [answer(key)])
    assert kept.turns("a")[0].question == "a"
    kept.keep("c", [answer("c")])
    assert kept.turns("a")
    with pytest.raises(UnknownNameError, match="begin a new one"):
        kept.turns("b")


def test_the_last_turns_are_kept():
    """Of a long conversation the last turns are kept."""
    kept = Conversations()
    kept.keep("a", [answer(str(n)) for n in range(TURNS + 5)])
    assert [turn.question for turn in kept.turns("a")] == [str(n) for n in range(5, TURNS + 5)]
