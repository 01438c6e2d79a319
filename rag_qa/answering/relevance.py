"""How probable is it that a paper speaks to the question? A logistic regression over four readable signals.

Its coefficients are data (relevance.toml), fitted by eval/fit_relevance.py on public judged questions; the file
names them. Where no paper reaches the threshold (the file's, or `Settings.min_relevance`), the answer abstains.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from rag_qa.answering.evidence import ScoredSentence
from rag_qa.answering.terms import content_terms, coverage
from rag_qa.types import Hit, Value

# Keeps .89 of the gold papers of those of AutoScholar's questions that have several.
WITHIN_REACH = 0.75
LIKELY = 0.5


class Signals(Value):
    """What relevance is read from; each 0 to 1."""

    passage_similarity: float
    sentence_similarity: float
    paper_coverage: float
    sentence_coverage: float


class Relevance(Value):
    """A paper's probability of relevance, its sentences best first, and the signals behind it."""

    paper_id: str
    probability: float
    sentences: tuple[ScoredSentence, ...]
    signals: Signals

    @property
    def likeness(self) -> float:
        """Mean of the similarities of passage and best sentence."""
        return (self.signals.passage_similarity + self.signals.sentence_similarity) / 2


def assess(
    hits: Sequence[Hit],
    sentences: Sequence[ScoredSentence],
    terms: Sequence[str],
    weights: Mapping[str, float],
) -> list[Relevance]:
    """Return each hit's relevance, most probable first; `sentences` are those of the hits, best first."""
    assessed = []
    for hit in hits:
        own = tuple(s for s in sentences if s.paper_id == hit.paper.id)
        signals = Signals(
            passage_similarity=max(0.0, hit.components["dense"]),
            sentence_similarity=max(0.0, max(s.similarity for s in own)),
            paper_coverage=coverage(terms, content_terms(f"{hit.paper.title} {hit.paper.abstract}"), weights),
            sentence_coverage=max(s.coverage for s in own),
        )
        assessed.append(
            Relevance(paper_id=hit.paper.id, probability=probability(signals), sentences=own, signals=signals)
        )
    return sorted(assessed, key=lambda relevance: -relevance.probability)


def probability(signals: Signals) -> float:
    """Return the probability of relevance, 0 to 1."""
    coefficients = _model()["coefficients"]
    logit = coefficients["intercept"] + sum(coefficients[name] * value for name, value in signals)
    return 1 / (1 + math.exp(-logit))


def keep_relevant(assessed: Sequence[Relevance], threshold: float) -> list[Relevance]:
    """Return the papers that speak to the question; none where even the most probable one does not reach the threshold.

    Where it does, those are kept that are more probable than not, and those whose likeness comes near that of the best:
    papers on the same subject in other words than the question's.
    """
    if not assessed or assessed[0].probability < threshold:
        return []
    near = WITHIN_REACH * assessed[0].likeness
    return [paper for paper in assessed if paper.probability >= LIKELY or paper.likeness >= near]


def default_threshold() -> float:
    """Return the probability under which a paper is no evidence, where the settings name none."""
    return float(_model()["threshold"])


@cache
def _model() -> dict[str, Any]:
    return tomllib.loads((files("rag_qa.answering") / "relevance.toml").read_text(encoding="utf-8"))
