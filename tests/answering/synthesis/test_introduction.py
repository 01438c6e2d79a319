"""The sentence that introduces a list of papers."""

from functools import partial

import pytest

from rag_qa.answering.verdict.model import Verifier
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Evidence

TITLES = {"bees": "BeeDance: a dance of bees", "soup": "On onion soup"}
DANCE = "The foragers tell the others by a dance where flowers stand."
ONIONS = "Onions are fried in butter before the stock goes in."
TRUE = "Foragers tell others by a dance where flowers stand."
FALSE = "The foragers tell the others by a dance where 300 flowers stand."
# Close to DANCE, and at most partially supported by it.
NEAR = "The foragers tell the others by a secret waggle dance where ripe yellow flowers stand."
MOON = "The moon is made of green cheese."


def evidence(sentence, paper_id="bees", score=0.0):
    return Evidence(paper_id=paper_id, sentence=sentence, start=0, end=len(sentence), score=score)


STORES = "The foragers tell the others of stores by a dance."
TELLS = " tell others by a dance."
BOTH = (evidence(DANCE, score=1.0), evidence(STORES, "soup"))


@pytest.mark.parametrize(
    ("pieces", "called"),
    [
        ([evidence(DANCE, score=1.0)], "The paper “BeeDance: a dance of bees”"),
        (BOTH, "The papers “BeeDance: a dance of bees” and “On onion soup”"),
        ([*BOTH, *BOTH], "These papers"),
    ],
)
def test_a_list_is_introduced_by_what_each_paper_supports(introduce, pieces, called):
    """The introduction of a list calls few papers by their titles, and cites every one of them."""
    (sentence,), (prompt,) = introduce(f"{TELLS} And more.", pieces=pieces)
    assert prompt.reply == called
    assert (sentence.kind, sentence.text) == ("prose", called + TELLS)
    assert [c.quote for c in sentence.citations] == [piece.sentence for piece in pieces]


def test_an_introduction_leaves_out_papers_that_do_not_support_it(introduce):
    """A paper that does not support the introduction is not named or cited; the weakest other verdict holds."""
    papers = {"bees": "On bees", "hives": "On hives", "soup": "On onion soup"}
    said = " tell others by a dance where many flowers stand in bloom."
    more = f"The foragers{said}"
    pieces = [evidence(DANCE, score=1.0), evidence(ONIONS, "soup"), evidence(more, "hives")]
    (sentence,), (prompt,) = introduce(said, pieces=pieces, titles=papers)
    assert prompt.reply == "The papers “On bees”, “On onion soup” and “On hives”"
    assert sentence.text == f"The papers “On bees” and “On hives”{said}"
    assert [c.paper_id for c in sentence.citations] == ["bees", "hives"]
    judge = partial(Verifier(HashingEmbedder()).judge, said, question="which papers tell of dances?")
    least, most = judge([DANCE], context=["On bees"]), judge([more], context=["On hives"])
    assert sentence.verdict == least
    assert least.probability < most.probability


def test_an_introduction_of_several_papers_is_not_said_of_one(introduce):
    """If only one of several papers supports the sentence, the list has no introduction."""
    assert introduce(TELLS, pieces=[evidence(DANCE, score=1.0), evidence(ONIONS, "soup")])[0] == []


def test_a_title_that_ends_like_a_sentence_does_not_end_the_introduction(introduce):
    """A heading that ends like a sentence ("We show that…") is kept whole in the introduction."""
    papers = TITLES | {"soup": "We show that onions…"}
    ((sentence,), _) = introduce(TELLS, titles=papers)
    assert sentence.text == f"The papers “BeeDance: a dance of bees” and “We show that onions…”{TELLS}"


@pytest.mark.parametrize("reply", [MOON, FALSE, NEAR, "", "A tail that was never finis"])
def test_a_list_needs_no_introduction(introduce, reply):
    """A sentence that the papers do not support is left out, and not written again."""
    assert introduce(reply)[0] == []
