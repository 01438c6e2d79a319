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


def choose_sentences(
    relevant: Sequence[Relevance], kind: QuestionKind, *, sentences: int, papers: int
) -> list[ScoredSentence]:
    """Return what to quote: the best sentence of each paper for a list of papers, else the best overall."""
    if kind == "which":
        return [paper.sentences[0] for paper in relevant[:papers]]
    ranked = sorted((s for paper in relevant for s in paper.sentences), key=lambda s: -s.score)
    worth = WORTH_READING * max(0.0, ranked[0].score) if ranked else 0.0
    return ranked[:1] + [s for s in ranked[1:sentences] if s.score >= worth]


def whole_abstracts(relevant: Sequence[Relevance], *, papers: int) -> list[ScoredSentence]:
    """Return every sentence of the most probable papers, each paper's in the order of its abstract."""
    return [s for paper in relevant[:papers] for s in sorted(paper.sentences, key=lambda s: s.start)]


def quote(evidence: Evidence) -> Sentence:
    """Return the evidence as a sentence of the answer that cites itself."""
    return Sentence(text=evidence.sentence, kind="quote", citations=(citation(evidence),), verdict=VERBATIM)
