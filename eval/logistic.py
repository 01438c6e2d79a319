"""Fit a logistic regression, and write it as TOML for the package to load; shared by the programs of eval/fit."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]


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


def fit_states(
    x: np.ndarray, y: np.ndarray, *, strength: float, weights: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Fit on many features of different scale; return coefficients, shape (features,), and intercept for x as it is."""
    scaler = StandardScaler().fit(x)
    model = fit_logistic(scaler.transform(x), y, strength=strength, weights=weights)
    coefficients = model.coef_[0] / scaler.scale_
    return coefficients.astype(np.float32), float(model.intercept_[0] - coefficients @ scaler.mean_)


def leave_one_out(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the probability of each row by a model of all others, shape (rows,)."""
    rows = np.arange(len(y))
    return np.array(
        [fit_logistic(x[rows != n], y[rows != n]).predict_proba(x[n : n + 1])[0, 1] for n in rows]
    )


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
