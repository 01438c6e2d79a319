"""Fit a logistic regression, and write it as TOML for the package to load; shared by the programs of eval/fit."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]


def fit_logistic(
    x: np.ndarray, y: np.ndarray | Sequence[str], *, strength: float = 1.0, weights: np.ndarray | None = None
) -> LogisticRegression:
    """Fit with an L2 penalty.

    Args:
        x: features, shape (rows, features).
        y: labels, one a row; two classes or more.
        strength: inverse strength of the penalty, scikit-learn's C.
        weights: how much each row counts; all alike by default.
    """
    return LogisticRegression(C=strength, max_iter=5000).fit(x, y, weights)


def as_toml(
    name: str,
    features: Sequence[str],
    coefficients: Sequence[float],
    intercept: float,
    threshold: float | None = None,
) -> list[str]:
    """Return the lines of one model: `[name]` with its numbers, `[name.coefficients]`, and a blank line."""
    return [
        f"[{name}]",
        *([] if threshold is None else [f"threshold = {threshold:.3f}"]),
        f"intercept = {intercept:.4f}",
        "",
        f"[{name}.coefficients]",
        *(f"{feature} = {value:.4f}" for feature, value in zip(features, coefficients, strict=True)),
        "",
    ]
