"""Several scores of the same candidates → one."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


def mean_of_max_scaled(components: Mapping[str, Scores]) -> Scores:
    """Return the mean of the components, each divided by its maximum; every array has shape (candidates,).

    A component without a positive score has nothing to say and counts as zeros. Scaling by the maximum keeps
    the distances between scores, which ranks (reciprocal rank fusion) throw away: on LitSearch dev over 32,299
    papers it found .64 of the gold papers in the first five, against .56 for reciprocal ranks.
    """
    scaled = np.stack([_max_scaled(scores) for scores in components.values()])
    return np.asarray(scaled.mean(axis=0), dtype=np.float32)


def _max_scaled(scores: Scores) -> Scores:
    top = scores.max(initial=0.0)
    return np.maximum(scores, 0.0) / top if top > 0 else np.zeros_like(scores)
