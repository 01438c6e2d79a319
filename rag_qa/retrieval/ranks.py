"""Scores → ranks. Knows nothing of indexes."""

import numpy as np
from numpy.typing import NDArray

from rag_qa.retrieval.fusion import Scores


def top(scores: Scores, k: int) -> NDArray[np.int64]:
    """Return the indices of the k highest scores, best first, ties in order. Sorts only these."""
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    reached = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
    return reached[np.argsort(-scores[reached], kind="stable")[:k]]
