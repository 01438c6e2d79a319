"""Pseudo-relevance feedback in the space of vectors (Rocchio, 1971)."""

import numpy as np

from rag_qa.protocols import Matrix

FEEDBACK_PAPERS = 3


def moved_towards(query: Matrix, found: Matrix) -> Matrix:
    """Return the unit vector midway between a query, shape (dimension,), and the mean of what it found first.

    `found` has shape (passages, dimension); without any the query comes back as it is.
    """
    if not len(found):
        return query
    moved = query + found.mean(axis=0)
    unit: Matrix = (moved / np.linalg.norm(moved)).astype(np.float32)
    return unit
