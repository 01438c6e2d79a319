"""Papers → the sentences in them that speak to the question, scored and with exact offsets."""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_qa.answering.evidence.alignment import align
from rag_qa.protocols import Embedder
from rag_qa.text.sentences import split_sentences
from rag_qa.text.words import content_terms, coverage
from rag_qa.types import Evidence, Paper, Value

MIN_WORDS = 4


class ScoredSentence(Value):
    """A sentence of a paper: its likeness to the question, and how it covers and meets the question's words.

    `similarity` is the mean cosine of the sentence alone and of the sentence under its paper's heading, which
    also counts in `coverage`, the share of the question's terms that are there, since sentences seldom repeat what
    they speak of. `met` is how well the sentence alone meets each word of the question, and adds up to at most 1.
    eval/choose_sentences.py says how well each finds the sentences that annotators marked.
    """

    paper_id: str
    text: str
    start: int
    end: int
    similarity: float
    coverage: float
    met: tuple[float, ...] = ()

    @property
    def alignment(self) -> float:
        """How well the sentence meets the words of the question, 0 to 1."""
        return sum(self.met)

    @property
    def score(self) -> float:
        """Mean of similarity, coverage and alignment."""
        return (self.similarity + self.coverage + self.alignment) / 3


def score_sentences(
    question: str,
    terms: Sequence[str],
    papers: Sequence[Paper],
    weights: Mapping[str, float],
    embedder: Embedder,
) -> list[ScoredSentence]:
    """Return every sentence of the papers with its scores, best first (ties in the order of the papers)."""
    spans = [(paper, start, end) for paper in papers for start, end in spans_of(paper.abstract)]
    if not spans:
        return []
    (query,) = embedder.encode_tokens([question], role="query")
    texts = [paper.abstract[start:end] for paper, start, end in spans]
    under_heading = [f"{paper.heading}: {text}" for (paper, _, _), text in zip(spans, texts, strict=True)]
    sentences = embedder.encode_tokens(texts, role="document")
    alone = np.stack([sentence.vector for sentence in sentences]) @ query.vector
    headed = embedder.encode(under_heading, role="document") @ query.vector
    scored = [
        ScoredSentence(
            paper_id=paper.id,
            text=text,
            start=start,
            end=end,
            similarity=float(similarity),
            coverage=coverage(terms, content_terms(f"{paper.heading} {text}"), weights),
            met=tuple(map(float, met)),
        )
        for (paper, start, end), text, similarity, met in zip(
            spans, texts, (alone + headed) / 2, align(question, query, sentences, weights), strict=True
        )
    ]
    return sorted(scored, key=lambda sentence: -sentence.score)


def as_evidence(sentences: Sequence[ScoredSentence]) -> list[Evidence]:
    """Return the sentences as evidence, in their order."""
    return [
        Evidence(paper_id=s.paper_id, sentence=s.text, start=s.start, end=s.end, score=s.score)
        for s in sentences
    ]


def spans_of(text: str) -> list[tuple[int, int]]:
    """Return where the sentences are that say something; all of them where none is long enough."""
    spans = split_sentences(text)
    return [(start, end) for start, end in spans if len(text[start:end].split()) >= MIN_WORDS] or spans
