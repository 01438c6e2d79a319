"""Relevant papers → the evidence for an answer, and evidence → verbatim sentences."""

from collections.abc import Sequence

from rag_qa.answering.citing import citation
from rag_qa.answering.evidence import ScoredSentence
from rag_qa.answering.questions import QuestionKind
from rag_qa.answering.relevance import Relevance
from rag_qa.answering.verifying import VERBATIM
from rag_qa.types import Evidence, Sentence

# A further sentence must come this close to the best one to be worth reading.
WORTH_READING = 0.6
# Papers that a comparison sets side by side.
COMPARED = 2


def choose_sentences(
    relevant: Sequence[Relevance], kind: QuestionKind, *, sentences: int, papers: int
) -> list[ScoredSentence]:
    """Return what to quote: the best sentence of each paper for a list of papers, else the best overall.

    A comparison keeps its papers apart: as many sentences again of each of the two most probable ones.
    """
    if kind == "which":
        return [paper.sentences[0] for paper in relevant[:papers]]
    if kind == "comparison" and len(relevant) > 1:
        return [s for paper in relevant[:COMPARED] for s in _best(paper.sentences, sentences)]
    return _best([s for paper in relevant for s in paper.sentences], sentences)


def _best(sentences: Sequence[ScoredSentence], most: int) -> list[ScoredSentence]:
    """Return the best sentences, of which each further one comes close to the first."""
    ranked = sorted(sentences, key=lambda s: -s.score)
    worth = WORTH_READING * max(0.0, ranked[0].score) if ranked else 0.0
    return ranked[:1] + [s for s in ranked[1:most] if s.score >= worth]


def whole_abstracts(relevant: Sequence[Relevance], *, papers: int) -> list[ScoredSentence]:
    """Return every sentence of the most probable papers, each paper's in the order of its abstract."""
    return [s for paper in relevant[:papers] for s in sorted(paper.sentences, key=lambda s: s.start)]


def quote(evidence: Evidence) -> Sentence:
    """Return the evidence as a sentence of the answer that cites itself."""
    return Sentence(text=evidence.sentence, kind="quote", citations=(citation(evidence),), verdict=VERBATIM)
