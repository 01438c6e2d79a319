"""Pseudo-relevance feedback: move the query's vector towards the first results.

After Rocchio, Relevance Feedback in Information Retrieval, 1971, with equal weights for the query and the results, and
without negative examples.
"""

import numpy as np

from rag_qa.protocols import Matrix

FEEDBACK_PAPERS = 3
# A mean of unit vectors that is shorter than this is only rounding: they cancel out.
NO_LENGTH = 1e-5


def moved_towards(query: Matrix, found: Matrix) -> Matrix:
    """Return the direction midway between a query and the mean of its first results, shape (d,), length 1.

    `query` has shape (d,) and length 1, `found` shape (n, d). Returns the query itself if n is 0.
    """
    return middle(np.stack([query, found.mean(axis=0)])) if len(found) else query


def middle(vectors: Matrix) -> Matrix:
    """Return the mean of vectors of shape (n, d), scaled to length 1; the first of them if they cancel out."""
    mean = vectors.mean(axis=0)
    length = np.linalg.norm(mean)
    unit: Matrix = (mean / length).astype(np.float32) if length > NO_LENGTH else vectors[0]
    return unit
