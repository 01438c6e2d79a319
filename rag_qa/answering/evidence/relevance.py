"""Relevance: are the papers on the question's topic, and which of them count? Two logistic regressions over signals.

The model `question` reads the best value of each signal, and tells a question far off the papers' topics from one on
them. The model `paper` reads the signals of each paper, and how far they are behind the best paper's. They are two
models because the best paper on a far-off question looks much like the fifth best on a good one. Coefficients and
thresholds are in relevance.toml, fitted by eval/fit/relevance.py, which says on what and how well they do.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_qa.answering.evidence.scoring import ScoredSentence
from rag_qa.answering.logistic import load_model, log_odds, read_toml
from rag_qa.text.words import content_terms, coverage
from rag_qa.types import Hit, Value

# A language model is asked about up to this many papers, with at least this probability.
READ_PAPERS, READ_LEAST = 8, 0.1
MODELS = ("rag_qa.answering.evidence", "relevance.toml")


class Signals(Value):
    """The features of relevance, each 0 to 1: similarities are cosines, coverages are weighted shares of terms.

    `feedback_similarity` is that of pseudo-relevance feedback (Rocchio): the question moved towards the first papers
    found. `alignment` is how well the sentences together meet the words of the question.
    """

    passage_similarity: float
    feedback_similarity: float
    sentence_similarity: float
    title_coverage: float
    paper_coverage: float
    sentence_coverage: float
    alignment: float


class Relevance(Value):
    """A paper's probability of relevance, its sentences (best first), and its signals."""

    paper_id: str
    probability: float
    sentences: tuple[ScoredSentence, ...]
    signals: Signals

    @property
    def likeness(self) -> float:
        """Mean of the similarities of the passage and of the best sentence."""
        return (self.signals.passage_similarity + self.signals.sentence_similarity) / 2


def assess(
    hits: Sequence[Hit],
    sentences: Sequence[ScoredSentence],
    terms: Sequence[str],
    weights: Mapping[str, float],
) -> list[Relevance]:
    """Return the relevance of each hit, most probable first.

    `sentences` are those of the hits, best first; `weights` are the inverse document frequencies of the `terms`.
    """
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
    """Return the highest value of each signal; zeros if there are no papers."""
    return Signals(
        **{name: max((getattr(s, name) for s in signals), default=0.0) for name in Signals.model_fields}
    )


def question_probability(best: Signals) -> float:
    """Return the probability that the papers are on the question's topic, from the best of each signal."""
    return logistic("question", best.model_dump())


def paper_probability(signals: Signals, best: Signals) -> float:
    """Return the probability that a paper is relevant, given that the papers are on the question's topic."""
    return logistic("paper", paper_features(signals, best))


def paper_features(signals: Signals, best: Signals) -> dict[str, float]:
    """Return the signals, and how far some of them are below the best."""
    return signals.model_dump() | {
        "passage_gap": best.passage_similarity - signals.passage_similarity,
        "sentence_gap": best.sentence_similarity - signals.sentence_similarity,
        "coverage_gap": best.paper_coverage - signals.paper_coverage,
        "alignment_gap": best.alignment - signals.alignment,
    }


def worth_reading(assessed: Sequence[Relevance]) -> list[Relevance]:
    """Return the papers that a language model is asked about, each of which takes a second or two."""
    return [*assessed[:1], *(paper for paper in assessed[1:READ_PAPERS] if paper.probability >= READ_LEAST)]


def reassess(assessed: Sequence[Relevance], matched: Mapping[str, float]) -> list[Relevance]:
    """Return the papers with new probabilities, most probable first; `matched` is by their ids.

    It holds the probabilities, by a language model, that papers are what a request asks for. The others are left out.
    """
    found = [
        paper.model_copy(
            update={
                "probability": logistic(
                    "matched_paper",
                    {"found": log_odds(paper.probability), "matched": log_odds(matched[paper.paper_id])},
                )
            }
        )
        for paper in assessed
        if paper.paper_id in matched
    ]
    return sorted(found, key=lambda paper: -paper.probability)


def keep_relevant(assessed: Sequence[Relevance], model: str = "paper") -> list[Relevance]:
    """Return the first paper, and all others that reach the threshold of the model; `assessed` is best first."""
    wanted = threshold(model)
    return [*assessed[:1], *(paper for paper in assessed[1:] if paper.probability >= wanted)]


def is_on_topic(assessed: Sequence[Relevance]) -> bool:
    """Return whether the papers are on the question's topic."""
    return topic_probability(assessed) >= threshold("question")


def topic_probability(assessed: Sequence[Relevance]) -> float:
    """Return the probability that the papers are on the question's topic."""
    return question_probability(best_signals([a.signals for a in assessed]))


def list_probability(assessed: Sequence[Relevance]) -> float:
    """Return the probability that a request for papers is met: they are on its topic, and the best one is relevant."""
    return topic_probability(assessed) * max(a.probability for a in assessed)


def threshold(name: str) -> float:
    """Return the fitted probability from which on a decision (a table of relevance.toml) is yes."""
    return float(read_toml(*MODELS)[name]["threshold"])


def logistic(name: str, features: Mapping[str, float]) -> float:
    """Return the probability that the model `name` of relevance.toml gives the features."""
    return load_model(*MODELS, name).probability(features)
