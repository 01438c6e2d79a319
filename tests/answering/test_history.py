"""Follow-up questions, answered after the turns before."""

import pytest

WHICH = "which papers discuss eigendecomposition as a game?"


def test_the_second_one_is_answered_from_it_alone(open_assistant):
    """ "The second one" is answered with sentences of the second paper of the answer before."""
    assistant = open_assistant()
    first = assistant.ask(WHICH)
    answer = assistant.ask("and the second one?", history=[first])
    assert [paper.id for paper in answer.papers] == [first.papers[1].id]
    assert answer.question == "and the second one?"


@pytest.mark.parametrize(
    "question",
    [
        "Why does dropout help?",
        pytest.param(
            "What does dropout do and why does it help?",
            marks=pytest.mark.xfail(
                reason="a pronoun of the question's own subject is taken for the papers shown"
            ),
        ),
        "What does dropout remove during training?",
    ],
)
def test_a_whole_question_is_free_of_the_last_answer(open_assistant, question):
    """After a change of topic, papers of the new topic are found."""
    assistant = open_assistant()
    answer = assistant.ask(question, history=[assistant.ask(WHICH)])
    assert answer.papers[0].id == "dropout"


def test_papers_that_are_gone_are_not_searched(open_assistant):
    """History from another index does not end in a crash."""
    assistant = open_assistant()
    first = assistant.ask(WHICH)
    gone = first.model_copy(update={"papers": (first.papers[0].model_copy(update={"id": "gone"}),)})
    answer = assistant.ask("What does the first one prove?", history=[gone])
    assert "gone" not in {paper.id for paper in answer.papers}
