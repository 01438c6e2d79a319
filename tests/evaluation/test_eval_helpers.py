"""What the programs of eval/ share: fitted models as TOML, and an embedder that remembers."""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from eval.doubles import RememberingEmbedder
from eval.logistic import as_toml, fit_logistic
from rag_qa.testing import HashingEmbedder


def test_a_fitted_model_says_the_same_from_toml() -> None:
    """The coefficients written give scikit-learn's probability, to the digits that are written."""
    x = np.array([[0.0, 1.0], [1.0, 0.5], [0.2, 0.9], [0.9, 0.1]])
    model = fit_logistic(x, np.array([False, True, False, True]), strength=2.0)
    written = as_toml("seen", ["a", "b"], model.coef_[0], model.intercept_[0], threshold=0.25)
    seen = tomllib.loads("\n".join(written))["seen"]
    assert seen["threshold"] == 0.25
    logit = seen["intercept"] + sum(
        value * number for value, number in zip(seen["coefficients"].values(), x[1], strict=True)
    )
    assert 1 / (1 + math.exp(-logit)) == pytest.approx(model.predict_proba(x)[1, 1], abs=1e-3)


def test_rows_may_weigh_more() -> None:
    """A row that counts ten times pulls the probability of its label towards itself."""
    x, y = np.array([[0.0], [0.0], [1.0]]), np.array([True, False, True])
    plain = fit_logistic(x, y).predict_proba([[0.0]])[0, 1]
    assert fit_logistic(x, y, weights=np.array([10.0, 1.0, 1.0])).predict_proba([[0.0]])[0, 1] > plain + 0.1


def test_a_text_is_encoded_once(tmp_path: Path) -> None:
    """Each text is encoded once a role, also over two runs with a file, and in the order asked for."""
    inner, file = HashingEmbedder(), tmp_path / "vectors.npz"
    embedder = RememberingEmbedder(inner, file)
    first = embedder.encode(["soup", "games", "soup"], role="document")
    assert inner.encoded == ["soup", "games"]
    assert (first[0] == first[2]).all()
    assert not np.allclose(first[0], first[1])
    embedder.encode(["soup"], role="query")
    assert len(inner.encoded) == 3
    embedder.save()
    again = RememberingEmbedder(inner, file)
    np.testing.assert_allclose(again.encode(["games", "soup"], role="document"), first[[1, 0]], atol=1e-3)
    assert len(inner.encoded) == 3
