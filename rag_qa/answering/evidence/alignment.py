"""How well texts meet each word of a question, by the likeness of tokens in context (late interaction).

A word is met as well as its tokens' nearest tokens in the text are like them (MaxSim of ColBERT, Khattab and Zaharia,
SIGIR 2020), so that "puppies" is met by "young dogs" and not by "bees". Words weigh by how much they tell papers apart.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rag_qa.protocols import Matrix, TokenEncoding
from rag_qa.text.words import WORD, content_terms


class WeighedWord(NamedTuple):
    """A word of the question, where it stands there, and its share of the weight of all."""

    text: str
    start: int
    end: int
    share: float


def weighed_words(question: str, weights: Mapping[str, float]) -> list[WeighedWord]:
    """Return the words of the question whose terms have a weight, in order; not those that merely ask for papers."""
    found = [(match, _weight(match, weights)) for match in WORD.finditer(question)]
    total = sum(weight for _, weight in found)
    return [WeighedWord(m.group(), m.start(), m.end(), weight / total) for m, weight in found if weight > 0]


def align(
    question: str, asked: TokenEncoding, texts: Sequence[TokenEncoding], weights: Mapping[str, float]
) -> Matrix:
    """Return how well each text meets each of the question's `weighed_words`, times its share, shape (texts, words).

    A row adds up to the text's alignment, at most 1: the mean over the words by weight.
    """
    words = weighed_words(question, weights)
    met = np.zeros((len(texts), len(words)), dtype=np.float32)
    if not met.size:
        return met
    starts = np.cumsum([0, *(len(text.tokens) for text in texts)])[:-1]
    likeness = asked.tokens @ np.concatenate([text.tokens for text in texts]).T
    nearest = np.maximum.reduceat(likeness, starts, axis=1)
    begins, ends = asked.spans.T
    for column, word in enumerate(words):
        pieces = nearest[(begins < word.end) & (ends > word.start)]
        if len(pieces):  # none where the question is longer than the model takes
            met[:, column] = np.maximum(0.0, pieces.mean(axis=0)) * word.share
    return met


def _weight(match: re.Match[str], weights: Mapping[str, float]) -> float:
    return max((weights.get(term, 0.0) for term in content_terms(match.group())), default=0.0)
