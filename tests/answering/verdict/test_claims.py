"""Sentences by anybody, checked against papers."""

import pytest

from rag_qa.answering.verdict.claims import check_claim, check_quote
from rag_qa.answering.verdict.model import Verifier
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Paper

PAPER = Paper(id="rise", title="Light and bread", abstract="Loaves rise in the dark. Light does not matter.")


@pytest.fixture
def judge():
    """A judge with a fake embedder."""
    return Verifier(HashingEmbedder())


def test_a_verbatim_quote_stands_where_it_is():
    """A quote of the abstract stands, with the characters where it begins and ends."""
    check = check_quote(PAPER, "Light does not matter.")
    assert check.stands
    assert PAPER.abstract[check.start : check.end] == check.quote


@pytest.mark.parametrize("quote", ["Light does matter.", "light does not matter.", "", "  "])
def test_another_text_does_not_stand(quote):
    """A changed letter, other case and a blank are not verbatim, and have no position."""
    check = check_quote(PAPER, quote)
    assert (check.stands, check.start, check.end) == (False, None, None)


def test_a_sentence_that_the_quote_says_is_supported(judge):
    """A quote that stands counts as evidence."""
    sentence = "Loaves rise in the dark."
    found = check_claim(sentence, [(PAPER, sentence)], judge)
    assert found.verdict.label == "supported"
    assert [check.stands for check in found.quotes] == [True]


def test_an_invented_quote_is_no_evidence(judge):
    """A quote that the paper does not have supports nothing, and is named."""
    sentence = "Bread needs light."
    found = check_claim(sentence, [(PAPER, sentence)], judge)
    assert found.verdict.label == "unsupported"
    assert [check.stands for check in found.quotes] == [False]


def test_without_a_quote_the_abstract_counts(judge):
    """Evidence with an empty quote is the whole abstract, and no quote is checked."""
    found = check_claim("Light does not matter.", [(PAPER, "")], judge)
    assert found.verdict.label == "supported"
    assert found.quotes == ()
