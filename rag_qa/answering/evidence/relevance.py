"""Do the papers speak to the question, and which of them do? Two logistic regressions over readable signals.

The first looks at the best of every signal among the papers found, and tells a question that is far off from one on
the papers' topics. The second looks at each paper, also beside the best one, and decides which papers count. They are
apart because the best paper on a far-off question looks much like the fifth best on a good one. Their coefficients and
thresholds are data (relevance.toml), fitted by eval/fit/relevance.py, which says on what and how well they do.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from rag_qa.answering.evidence.scoring import ScoredSentence
from rag_qa.text.words import content_terms, coverage
from rag_qa.types import Hit, Value


class Signals(Value):
    """What relevance is read from; each 0 to 1. `alignment` is how well the sentences together meet the question.

    `feedback_similarity` is that of search's second look: with the question moved towards the first papers found.
    """

    passage_similarity: float
    feedback_similarity: float
    sentence_similarity: float
    title_coverage: float
    paper_coverage: float
    sentence_coverage: float
    alignment: float


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
    own = {hit.paper.id: tuple(s for s in sentences if s.paper_id == hit.paper.id) for hit in hits}
    signals = {hit.paper.id: _signals(hit, own[hit.paper.id], terms, weights) for hit in hits}
    best = best_signals(list(signals.values()))
    assessed = [
        Relevance(paper_id=key, probability=paper_probability(its, best), sentences=own[key], signals=its)
        for key, its in signals.items()
    ]
    return sorted(assessed, key=lambda relevance: -relevance.probability)


def _signals(
    hit: Hit, sentences: Sequence[ScoredSentence], terms: Sequence[str], weights: Mapping[str, float]
) -> Signals:
    return Signals(
        passage_similarity=max(0.0, hit.components["dense"]),
        feedback_similarity=max(0.0, hit.components["feedback"]),
        sentence_similarity=max(0.0, max(s.similarity for s in sentences)),
        title_coverage=coverage(terms, content_terms(hit.paper.title), weights),
        paper_coverage=coverage(terms, content_terms(f"{hit.paper.title} {hit.paper.abstract}"), weights),
        sentence_coverage=max(s.coverage for s in sentences),
        alignment=float(np.max([s.met for s in sentences], axis=0).sum()),
    )


def best_signals(signals: Sequence[Signals]) -> Signals:
    """Return the highest of each signal; zeros where there are none."""
    return Signals(
        **{name: max((getattr(s, name) for s in signals), default=0.0) for name in Signals.model_fields}
    )


def question_probability(best: Signals) -> float:
    """Return the probability that the papers speak to the question, from the best of every signal."""
    return logistic("question", best.model_dump())


def paper_probability(signals: Signals, best: Signals) -> float:
    """Return the probability that a paper is relevant to a question to which the papers speak."""
    return logistic("paper", paper_features(signals, best))


def paper_features(signals: Signals, best: Signals) -> dict[str, float]:
    """Return the signals, and how far some of them are behind the best paper's."""
    return signals.model_dump() | {
        "passage_gap": best.passage_similarity - signals.passage_similarity,
        "sentence_gap": best.sentence_similarity - signals.sentence_similarity,
        "coverage_gap": best.paper_coverage - signals.paper_coverage,
        "alignment_gap": best.alignment - signals.alignment,
    }


def keep_relevant(assessed: Sequence[Relevance]) -> list[Relevance]:
    """Return the most probable paper, and each that reaches the threshold for papers; `assessed` is best first."""
    wanted = threshold("paper")
    return [*assessed[:1], *(paper for paper in assessed[1:] if paper.probability >= wanted)]


def speaks_to(assessed: Sequence[Relevance]) -> bool:
    """Return whether the papers are on the question's topic at all."""
    return question_probability(best_signals([a.signals for a in assessed])) >= threshold("question")


def list_probability(assessed: Sequence[Relevance]) -> float:
    """Return the probability that a request for papers is met: that they speak to it, and the best one is relevant."""
    best = best_signals([a.signals for a in assessed])
    return question_probability(best) * max(a.probability for a in assessed)


def threshold(name: str) -> float:
    """Return the probability from which a decision (question, answer, paper or list) is yes, as fitted."""
    return float(_model()[name]["threshold"])


def logistic(name: str, features: Mapping[str, float]) -> float:
    """Return the probability that a fitted model gives the features."""
    model = _model()[name]
    logit = model["intercept"] + sum(features[key] * value for key, value in model["coefficients"].items())
    return 1 / (1 + math.exp(-logit))


@cache
def _model() -> dict[str, Any]:
    return tomllib.loads((files("rag_qa.answering.evidence") / "relevance.toml").read_text(encoding="utf-8"))
