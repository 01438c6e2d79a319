"""Papers with their relevance → the sentences that an answer quotes, and those that the language model reads."""

from collections.abc import Sequence

from rag_qa.answering.evidence.relevance import Relevance
from rag_qa.answering.evidence.scoring import ScoredSentence
from rag_qa.settings import Settings
from rag_qa.types import Query, QuestionKind

# A further sentence is quoted if it has this share of the best score.
WORTH_READING = 0.6
# Papers that an answer quotes or compares.
COMPARED = 2
# A question compares two papers if each of them is relevant with more than this probability.
SURE_OF_BOTH = 0.5
# Sentences quoted of each paper if a comparison is not written.
FROM_EACH_SIDE = 2


def choose_sentences(
    relevant: Sequence[Relevance], kind: QuestionKind, settings: Settings
) -> list[ScoredSentence]:
    """Return what to quote: for a list the best sentence of each paper, else the best of the two most probable papers.

    Each of the two gives up to `evidence_sentences`. Of a comparison, what is worth quoting is decided for each paper,
    so that both are shown; of other questions, over both.
    """
    if kind == "which":
        return [paper.sentences[0] for paper in relevant[: settings.listed_papers]]
    each = [s for paper in relevant[:COMPARED] for s in _best(paper.sentences, settings.evidence_sentences)]
    return each if kind == "comparison" else _best(each, len(each))


def to_read(assessed: Sequence[Relevance], query: Query, settings: Settings) -> list[ScoredSentence]:
    """Return what the language model reads, best first: the `read_sentences` best sentences.

    For a comparison, half of them are of each of the two first papers. If the question names one or two papers, it
    reads their whole abstracts, so that the next question on them has the same evidence.
    """
    if query.within is not None and len(assessed) <= COMPARED:
        return [s for paper in assessed for s in paper.sentences]
    if query.kind == "comparison" and len(assessed) > 1:
        each = settings.read_sentences // COMPARED
        return [s for paper in assessed[:COMPARED] for s in paper.sentences[:each]]
    found = sorted((s for paper in assessed for s in paper.sentences), key=lambda s: -s.score)
    return found[: settings.read_sentences]


def both_sides(relevant: Sequence[Relevance], query: Query) -> list[ScoredSentence]:
    """Return what to quote of each of the two first papers if the question compares two papers, else []."""
    sides = [paper for paper in relevant[:COMPARED] if paper.probability > SURE_OF_BOTH]
    if query.kind != "comparison" or len(sides) < COMPARED:
        return []
    return [s for paper in sides for s in _best(paper.sentences, FROM_EACH_SIDE)]


def _best(sentences: Sequence[ScoredSentence], most: int) -> list[ScoredSentence]:
    """Return up to `most` sentences, best first, whose scores come close to the best."""
    ranked = sorted(sentences, key=lambda s: -s.score)
    worth = WORTH_READING * max(0.0, ranked[0].score) if ranked else 0.0
    return ranked[:1] + [s for s in ranked[1:most] if s.score >= worth]
