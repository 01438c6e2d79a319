"""Late interaction (MaxSim): how well texts meet each word of a question, by the vectors of tokens in context.

Each token of the question is compared with its nearest token of the text (ColBERT: Khattab and Zaharia, SIGIR 2020), so
"puppies" is met by "young dogs" and not by "bees". Words are weighted by inverse document frequency.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rag_qa.protocols import Matrix, TokenEncoding
from rag_qa.text.words import WORD, content_terms


class WeighedWord(NamedTuple):
    """A word of the question, its span in characters, and its share of the weight of all words."""

    text: str
    start: int
    end: int
    share: float


def weighed_words(question: str, weights: Mapping[str, float]) -> list[WeighedWord]:
    """Return the words of the question that have a weight, in order; words that only ask for papers have none."""
    found = [(match, _weight(match, weights)) for match in WORD.finditer(question)]
    total = sum(weight for _, weight in found)
    return [WeighedWord(m.group(), m.start(), m.end(), weight / total) for m, weight in found if weight > 0]


def align(
    question: str, asked: TokenEncoding, texts: Sequence[TokenEncoding], weights: Mapping[str, float]
) -> Matrix:
    """Return how well each text meets each of the question's `weighed_words`, times its share; shape (texts, words).

    A row adds up to the text's alignment, 0 to 1. `asked` is the encoding of the question.
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
        if len(pieces):  # empty if the question is longer than the model reads
            met[:, column] = np.maximum(0.0, pieces.mean(axis=0)) * word.share
    return met


def _weight(match: re.Match[str], weights: Mapping[str, float]) -> float:
    return max((weights.get(term, 0.0) for term in content_terms(match.group())), default=0.0)
