"""A comparison of two papers: their quotes side by side, with nothing written."""

from rag_qa.answering.synthesis import NO_VERDICT, UNSUPPORTED
from rag_qa.types import Evidence


def evidence(sentence, paper_id):
    return Evidence(paper_id=paper_id, sentence=sentence, start=0, end=len(sentence), score=1.0)


DANCE = evidence("The foragers tell the others by a dance where flowers stand.", "bees")
ONIONS = evidence("Onions are fried in butter before the stock goes in.", "soup")


def test_two_papers_compared_are_quoted_side_by_side(contrast):
    """Each side is a quote; `accepts` gets the probability that they state the answer, and a verdict on nothing."""
    said, asked, _ = contrast(DANCE, ONIONS, confirmed=(0.7, 0.3))
    assert said == [("quote", DANCE.sentence), ("quote", ONIONS.sentence)]
    assert asked == [(0.7, NO_VERDICT)]


def test_a_comparison_that_is_not_accepted_is_refused(contrast):
    """If the quotes are not accepted as an answer, nothing is shown, and the trace says why."""
    said, _, trace = contrast(DANCE, ONIONS, accepts=False)
    assert (said, trace.unsupported) == ([], UNSUPPORTED)


def test_a_weak_model_is_not_asked_about_a_comparison(contrast):
    """A model that is not trusted to read is not asked whether the quotes state the answer."""
    said, asked, _ = contrast(DANCE, ONIONS, reads=False)
    assert (len(said), asked) == (2, [])
