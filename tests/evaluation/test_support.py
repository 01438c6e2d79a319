"""Support as our own verdict decides it."""

import pytest

from rag_qa.evaluation.support import is_supported


@pytest.mark.parametrize(
    ("sentence", "quotes", "supported"),
    [
        ("Bees dance.", ["Bees dance.", "Ants walk."], True),
        ("Bees dance.", [], False),
        ("Forty bees dance.", ["Thirty bees dance."], False),
    ],
)
def test_our_verdict_decides(sentence, quotes, supported):
    """A verbatim quote supports a sentence; nothing, and another number, do not."""
    assert is_supported(sentence, quotes) == supported
