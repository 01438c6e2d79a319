"""What the programs of eval/ share: fitted models as TOML, and an embedder that remembers."""

import gzip
import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

from eval.doubles import RememberingEmbedder
from eval.fit import lists
from eval.fit.claims import asked_rows
from eval.logistic import as_toml, fit_logistic, fit_states
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


def test_a_probe_takes_states_as_they_are() -> None:
    """What is fitted on scaled features gives the same log odds from those that are not scaled."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)) * [1, 100, 0.01] + [5, 0, 1]
    y = x[:, 1] > 0
    coefficients, intercept = fit_states(x, y, strength=1.0)
    scaled = StandardScaler().fit_transform(x)
    expected = fit_logistic(scaled, y).decision_function(scaled)
    np.testing.assert_allclose(x @ coefficients + intercept, expected, rtol=1e-4, atol=1e-4)


def test_claims_are_made_or_asked_about(tmp_path: Path) -> None:
    """A sentence does not make the claim behind "whether", and does make that behind "show that"."""
    text = "We ask whether a bee finds its hive at night. We show that a wasp finds no hive at noon, mostly."
    folder = tmp_path / "ml_abstracts"
    folder.mkdir()
    with gzip.open(folder / "documents.jsonl.gz", "wt") as file:
        file.write(json.dumps({"abstract": text}))
    made, asked = sorted(asked_rows(tmp_path), key=lambda row: -row.supported)
    assert (made.sentence, made.supported) == ("A wasp finds no hive at noon.", True)
    assert (asked.sentence, asked.supported) == ("A bee finds its hive at night.", False)
    assert asked.evidence == ("We ask whether a bee finds its hive at night.",)


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


def test_a_probe_of_requests_has_not_seen_the_request_it_reads(monkeypatch):
    """Each request gets its features by search and by a probe that was fitted on others, in the same order."""
    requests = [
        lists.Request("", np.array([0.5]), np.array([[float(n)]]), np.array([True]), np.array([False]), 1)
        for n in range(20)
    ]
    fits = []

    def fit(others):
        fits.append({float(request.states[0, 0]) for request in others})
        return np.array([0.0]), len(fits) / 10

    monkeypatch.setattr(lists, "_fit", fit)
    found = lists._with_features(requests)
    assert [float(request.states[0, 0]) for request in found] == list(range(20))
    assert len(fits) == lists.FOLDS
    for n, request in enumerate(found):
        by_search, by_probe = request.features[0]
        assert by_search == 0.5
        assert n not in fits[round(10 * by_probe) - 1]
