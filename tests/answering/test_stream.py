"""Answers as a stream of events."""

import pytest

WHICH = "which papers discuss eigendecomposition as a game?"
FACT = "How much of the variance did EigenGame reach?"
RESULT = "EigenGame reached 98.5% of the variance on a dataset of 200,000 images."


@pytest.mark.parametrize("replies", [None, [RESULT]])
@pytest.mark.parametrize("question", [WHICH, FACT])
def test_a_stream_is_hits_then_sentences_then_the_answer(open_assistant, replies, question):
    """Events come in that order, text of the model before its sentences, and the last holds what was streamed."""
    events = list(open_assistant(replies).stream(question))
    kinds = [event.kind for event in events]
    assert (kinds[0], kinds[-1]) == ("hits", "answer")
    assert set(kinds[1:-1]) == {"sentence"} | ({"piece"} if replies else set())
    assert [hit.rank for hit in events[0].hits] == list(range(1, len(events[0].hits) + 1))
    assert events[0].query == events[-1].answer.query
    assert tuple(event.sentence for event in events if event.sentence) == events[-1].answer.sentences
    assert "".join(event.piece for event in events) == (replies[0] if replies else "")


@pytest.mark.parametrize("question", [WHICH, FACT])
def test_ask_is_the_end_of_the_stream(open_assistant, question):
    """Asked or streamed, twice over, the answer is the same but for its timings."""
    assistant = open_assistant()
    streamed = list(assistant.stream(question))[-1].answer
    for asked in (assistant.ask(question), assistant.ask(question)):
        assert asked.model_copy(update={"timings": streamed.timings}) == streamed


def test_a_stream_can_be_left(open_assistant):
    """A reader who stops after the hits leaves the assistant usable."""
    assistant = open_assistant([RESULT])
    next(iter(assistant.stream(FACT)))
    assert assistant.ask(FACT).sentences
