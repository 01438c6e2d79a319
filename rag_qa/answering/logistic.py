"""Logistic regression (Cox, 1958) whose coefficients are data: TOML files that scripts in eval/ write."""

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from rag_qa.types import Value

# Log-odds are taken of probabilities from 1 - LIKELY to LIKELY, so that no single clue outweighs all others. A sentence
# that repeats its source word for word is supported at .9998, and may still answer another question.
LIKELY = 0.95


class LogisticModel(Value):
    """A logistic regression over named features."""

    intercept: float
    coefficients: Mapping[str, float]

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability, 0 to 1. Raises KeyError if a feature is missing; further features are ignored.

        >>> LogisticModel(intercept=-1.0, coefficients={"coverage": 2.0}).probability({"coverage": 0.5})
        0.5
        """
        return sigmoid(
            self.intercept + sum(features[key] * value for key, value in self.coefficients.items())
        )


def sigmoid(logit: float) -> float:
    """Return the probability whose log-odds are given."""
    return 1 / (1 + math.exp(-logit))


def log_odds(probability: float) -> float:
    """Return the natural logarithm of the odds of a bounded probability, from -2.9 to 2.9 (see LIKELY)."""
    bounded = min(max(probability, 1 - LIKELY), LIKELY)
    return math.log(bounded / (1 - bounded))


@cache
def load_model(package: str, file: str, name: str) -> LogisticModel:
    """Return the model in table `name` of a TOML file that ships in a package."""
    table = read_toml(package, file)[name]
    return LogisticModel(intercept=table["intercept"], coefficients=table["coefficients"])


@cache
def read_toml(package: str, file: str) -> dict[str, Any]:
    """Return the tables of a TOML file that ships in a package."""
    return tomllib.loads((files(package) / file).read_text(encoding="utf-8"))
