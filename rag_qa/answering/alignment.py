"""How well texts meet each word of a question, by the likeness of tokens in context (late interaction).

A word is met as well as its tokens' nearest tokens in the text are like them (MaxSim of ColBERT, Khattab and Zaharia,
SIGIR 2020), so that "puppies" is met by "young dogs" and not by "bees". Words weigh by how much they tell papers apart.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_qa.answering.terms import WORD, content_terms
from rag_qa.protocols import Matrix, TokenEncoding


def align(
    question: str, asked: TokenEncoding, texts: Sequence[TokenEncoding], weights: Mapping[str, float]
) -> Matrix:
    """Return how well each text meets each content word of the question, shape (texts, words).

    A row adds up to the text's alignment, at most 1: the mean over the words by weight. Words without weight, such as
    those that merely ask for papers, have no column.
    """
    words = _words(question, asked, weights)
    if not words or not texts:
        return np.zeros((len(texts), 0), dtype=np.float32)
    starts = np.cumsum([0, *(len(text.tokens) for text in texts)])[:-1]
    likeness = asked.tokens @ np.concatenate([text.tokens for text in texts]).T
    nearest = np.maximum.reduceat(likeness, starts, axis=1)
    total = sum(weight for _, weight in words)
    columns = [nearest[rows].mean(axis=0) * (weight / total) for rows, weight in words]
    met: Matrix = np.maximum(0.0, np.stack(columns, axis=1)).astype(np.float32)
    return met


def _words(
    question: str, asked: TokenEncoding, weights: Mapping[str, float]
) -> list[tuple[list[int], float]]:
    """Return the tokens and the weight of each content word of the question."""
    found = []
    for match in WORD.finditer(question):
        weight = max((weights.get(term, 0.0) for term in content_terms(match.group())), default=0.0)
        rows = [
            n for n, (start, end) in enumerate(asked.spans) if start < match.end() and end > match.start()
        ]
        if weight > 0 and rows:
            found.append((rows, weight))
    return found
