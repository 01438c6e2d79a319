"""Directions in the space of vectors: pseudo-relevance feedback (Rocchio, 1971)."""

import numpy as np

from rag_qa.protocols import Matrix

FEEDBACK_PAPERS = 3
# More than rounding leaves of unit vectors that cancel out.
NO_LENGTH = 1e-5


def moved_towards(query: Matrix, found: Matrix) -> Matrix:
    """Return the unit vector midway between a query, shape (dimension,), and the mean of what it found first.

    `found` has shape (passages, dimension); without any the query comes back as it is.
    """
    return middle(np.stack([query, found.mean(axis=0)])) if len(found) else query


def middle(vectors: Matrix) -> Matrix:
    """Return the unit vector of the mean of some vectors, shape (vectors, dimension); the first if they cancel out."""
    mean = vectors.mean(axis=0)
    length = np.linalg.norm(mean)
    unit: Matrix = (mean / length).astype(np.float32) if length > NO_LENGTH else vectors[0]
    return unit
