"""Alignment: how well texts meet each word of a question."""

import numpy as np
import pytest

from rag_qa.answering.evidence.alignment import align, weighed_words
from rag_qa.protocols import TokenEncoding
from rag_qa.testing import HashingEmbedder

QUESTION = "which players dance?"
WEIGHTS = {"player": 1.0, "danc": 3.0}


def aligned(texts, question=QUESTION, weights=WEIGHTS, embedder=None):
    embedder = embedder or HashingEmbedder()
    (asked,) = embedder.encode_tokens([question], role="query")
    return align(question, asked, embedder.encode_tokens(texts, role="sentence"), weights)


def test_each_word_counts_by_its_weight():
    """A text that has all words is met fully, one with some of them for their share of the weight."""
    met = aligned(["The players dance.", "Two players.", "They dance!", "Soup is hot."])
    assert met.shape == (4, 2)
    np.testing.assert_allclose(met, [[0.25, 0.75], [0.25, 0], [0, 0.75], [0, 0]], atol=1e-6)


def test_words_without_weight_have_no_column():
    """Words that no weight is known for, and a question of function words alone, count for nothing."""
    assert aligned(["Players."], weights={"player": 1.0}).shape == (1, 1)
    assert aligned(["Players."], question="which?", weights={}).shape == (1, 0)
    assert aligned([]).shape == (0, 2)


def test_words_weigh_by_their_share():
    """The words of a question have the shares of their weight, in order, and places in it."""
    words = weighed_words("Which Players dance?", WEIGHTS)
    assert [(w.text, w.start, w.end, w.share) for w in words] == [
        ("Players", 6, 13, 0.25),
        ("dance", 14, 19, 0.75),
    ]


def test_words_beyond_what_the_model_takes_are_not_met():
    """A word of the question without a token counts as not met."""
    asked = TokenEncoding(np.ones(2, np.float32), np.eye(2, dtype=np.float32)[:1], np.array([[0, 7]]))
    text = TokenEncoding(np.ones(2, np.float32), np.eye(2, dtype=np.float32)[:1], np.array([[0, 1]]))
    assert align("players dance", asked, [text], WEIGHTS).tolist() == [[0.25, 0.0]]


def test_a_word_of_several_tokens_is_met_in_their_mean():
    """If one of two pieces of a word is in the text, the word is half met; negative likeness counts as 0."""
    asked = TokenEncoding(np.ones(3, np.float32), np.eye(3, dtype=np.float32)[:2], np.array([[0, 4], [4, 7]]))
    text = TokenEncoding(
        np.ones(3, np.float32), np.eye(3, dtype=np.float32)[[0, 2]], np.array([[0, 1], [1, 2]])
    )
    assert align("dancing", asked, [text], {"danc": 2.0}) == pytest.approx(np.array([[0.5]]))
    against = text._replace(tokens=-np.eye(3, dtype=np.float32)[:2])
    assert align("dancing", asked, [against], {"danc": 2.0})[0, 0] == 0.0
