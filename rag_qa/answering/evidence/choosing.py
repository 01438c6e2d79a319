"""Assessed papers → the sentences that an answer quotes, and those that a language model reads."""

from collections.abc import Sequence

from rag_qa.answering.evidence.relevance import Relevance
from rag_qa.answering.evidence.scoring import ScoredSentence
from rag_qa.settings import Settings
from rag_qa.types import Query, QuestionKind

# A further sentence must come this close to the best one to be worth quoting.
WORTH_READING = 0.6
# Papers that an answer quotes, and a comparison sets side by side.
COMPARED = 2


def choose_sentences(
    relevant: Sequence[Relevance], kind: QuestionKind, settings: Settings
) -> list[ScoredSentence]:
    """Return what to quote: the best sentence of each paper for a list, else the best of the two most probable ones.

    As many of one as of the other, so that a comparison that is not known for one still shows both; one that is keeps
    its papers apart, each with what comes close to its own best sentence.
    """
    if kind == "which":
        return [paper.sentences[0] for paper in relevant[: settings.listed_papers]]
    each = [s for paper in relevant[:COMPARED] for s in _best(paper.sentences, settings.evidence_sentences)]
    return each if kind == "comparison" else _best(each, len(each))


def to_read(assessed: Sequence[Relevance], query: Query, settings: Settings) -> list[ScoredSentence]:
    """Return what a language model reads, best first: the best sentences, of a comparison those of two papers.

    Of one or two papers that the question names, whole abstracts: so the next question on them reads the same.
    """
    if query.within is not None and len(assessed) <= COMPARED:
        return [s for paper in assessed for s in paper.sentences]
    if query.kind == "comparison" and len(assessed) > 1:
        each = settings.read_sentences // COMPARED
        return [s for paper in assessed[:COMPARED] for s in paper.sentences[:each]]
    found = sorted((s for paper in assessed for s in paper.sentences), key=lambda s: -s.score)
    return found[: settings.read_sentences]


def _best(sentences: Sequence[ScoredSentence], most: int) -> list[ScoredSentence]:
    """Return the best sentences, of which each further one comes close to the first."""
    ranked = sorted(sentences, key=lambda s: -s.score)
    worth = WORTH_READING * max(0.0, ranked[0].score) if ranked else 0.0
    return ranked[:1] + [s for s in ranked[1:most] if s.score >= worth]
