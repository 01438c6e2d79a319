"""Multinomial logistic regression over the words of a text and, with the embedder it was fitted for, over vectors.

The coefficients are .npz files that scripts in eval/ write.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_qa.protocols import Embedder


class Classifier(NamedTuple):
    """A fitted classifier: everything in its file, and the column of each word of its vocabulary."""

    data: Mapping[str, NDArray[np.generic]]
    vocabulary: Mapping[str, int]
    weights: Mapping[str, NDArray[np.float32]]

    def is_fitted_for(self, embedder: Embedder | None) -> bool:
        """Return whether the coefficients `both` were fitted for this embedder."""
        return embedder is not None and embedder.spec.name == str(self.data["embedder"])

    def scores(self, features: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        """Return a score for each class, by the coefficients `words` or `both`; shape (classes,)."""
        weights = self.weights[name]
        return np.asarray(weights[:, :-1] @ features + weights[:, -1], dtype=np.float32)


@cache
def load_classifier(file: Path) -> Classifier:
    """Read a classifier; its coefficients have shape (classes, features + 1), the intercepts last."""
    with np.load(file) as stored:
        data = {name: stored[name] for name in stored}
    vocabulary = {str(word): n for n, word in enumerate(data["vocabulary"])}
    return Classifier(data, vocabulary, {name: data[name].astype(np.float32) for name in ("words", "both")})
