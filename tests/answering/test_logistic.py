"""The logistic regression from which relevance, answerability and verdicts are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit  # type: ignore[import-untyped]

from rag_qa.answering.evidence.relevance import MODELS as RELEVANCE
from rag_qa.answering.logistic import LogisticModel, load_model, log_odds, read_toml, sigmoid
from rag_qa.answering.verdict.model import MODELS as VERDICTS

MODEL = LogisticModel(intercept=-1.0, coefficients={"coverage": 2.0, "names": -0.5})
TABLES = [(*RELEVANCE, name) for name in ("question", "paper", "answer", "read_answer", "confirmed_answer")]
TABLES += [(*VERDICTS, name) for name in ("alike", "words")]


@given(st.floats(0, 1), st.floats(0, 3))
def test_the_probability_is_that_of_scipy(coverage, names):
    """The probability is the logistic function of the weighted features, and further features count for nothing."""
    found = MODEL.probability({"coverage": coverage, "names": names, "other": 9.0})
    assert found == pytest.approx(float(expit(-1.0 + 2.0 * coverage - 0.5 * names)))


def test_a_missing_feature_is_an_error():
    """A model is never read without one of its features."""
    with pytest.raises(KeyError, match="names"):
        MODEL.probability({"coverage": 0.5})


@given(st.floats(0.051, 0.949))
def test_log_odds_are_undone_by_the_sigmoid(probability):
    """Within the bounds log-odds are those of scipy, and the sigmoid gives the probability back."""
    assert log_odds(probability) == pytest.approx(float(logit(probability)))
    assert sigmoid(log_odds(probability)) == pytest.approx(probability)


def test_log_odds_are_bounded():
    """Log-odds are 0 at one half, and finite at 0 and 1."""
    assert log_odds(0.5) == 0.0
    assert log_odds(0.0) == -log_odds(1.0) == pytest.approx(-2.9, abs=0.05)


@pytest.mark.parametrize(("package", "file", "name"), TABLES)
def test_every_model_that_ships_is_that_of_its_file(package, file, name):
    """A model has the intercept and the coefficients of its table."""
    table = read_toml(package, file)[name]
    model = load_model(package, file, name)
    assert (model.intercept, dict(model.coefficients)) == (table["intercept"], table["coefficients"])
