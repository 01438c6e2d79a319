"""Papers → their sentences, scored against the question and with exact offsets."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from rag_qa.answering.evidence.addressed import are_addressed
from rag_qa.answering.evidence.alignment import align
from rag_qa.protocols import Embedder, Matrix, TokenEncoding
from rag_qa.text.body import body_sentences
from rag_qa.text.words import content_terms, coverage
from rag_qa.types import Evidence, Paper, Value

# Sentences of fewer words are left out, unless all are that short.
MIN_WORDS = 4


class ScoredSentence(Value):
    """A sentence of a paper, its span in the abstract, and its scores against the question.

    `similarity` is the mean cosine of the sentence alone and of the sentence under the paper's heading, since sentences
    seldom repeat their topic. `coverage` is the weighted share of the question's terms in heading and sentence. `met`
    is how well the sentence alone meets each word of the question (see `alignment`). A sentence that is `addressed` to
    its reader, or stands under a heading that is, must not be used as evidence.
    eval/studies/choose_sentences.py measures how well each finds the sentences that annotators marked.
    """

    paper_id: str
    text: str
    start: int
    end: int
    similarity: float
    coverage: float
    met: tuple[float, ...] = ()
    addressed: bool = False

    @property
    def alignment(self) -> float:
        """How well the sentence meets all words of the question, 0 to 1."""
        return sum(self.met)

    @property
    def score(self) -> float:
        """Mean of similarity, coverage and alignment."""
        return (self.similarity + self.coverage + self.alignment) / 3


class EncodedPaper(NamedTuple):
    """The spans of a paper's sentences, and the encodings of each: alone, with tokens, and under the paper's heading.

    `headed` has shape (sentences, dimension). `addressed` says of each sentence whether it addresses its reader.
    """

    spans: Sequence[tuple[int, int]]
    alone: Sequence[TokenEncoding]
    headed: Matrix
    addressed: Sequence[bool]


def encode_paper(paper: Paper, *, embedder: Embedder) -> EncodedPaper:
    """Encode the sentences of a paper. The result depends on nothing else, so it can be cached.

    Under a title that addresses its reader, all sentences count as addressed: the model would read the title as well.
    """
    spans = spans_of(paper.abstract)
    texts = [paper.abstract[start:end] for start, end in spans]
    headed = embedder.encode([f"{paper.heading}: {text}" for text in texts], role="sentence")
    encoded = embedder.encode_tokens(texts, role="sentence")
    addressed = are_addressed(texts, encoded, embedder, together=True)
    # Titles are shorter and bolder than sentences ("Attention is all you need"): only plain words count.
    # A paper without a title goes by its first words.
    under_one = addressed[0] if not paper.title else are_addressed([paper.title], [], None, surely=True)[0]
    return EncodedPaper(spans, encoded, headed, [under_one or one for one in addressed])


def score_sentences(
    question: str,
    terms: Sequence[str],
    papers: Sequence[Paper],
    weights: Mapping[str, float],
    embedder: Embedder,
    encode: Callable[[Paper], EncodedPaper] | None = None,
) -> list[ScoredSentence]:
    """Return all sentences of the papers with their scores, best first; ties keep the order of the papers.

    Those that address their reader are among them, and marked. `weights` are the inverse document frequencies of the
    `terms`. `encode` may be a cached `encode_paper`.
    """
    encoded = list(map(encode or partial(encode_paper, embedder=embedder), papers))
    spans = [
        (paper, *span, addressed)
        for paper, e in zip(papers, encoded, strict=True)
        for span, addressed in zip(e.spans, e.addressed, strict=True)
    ]
    if not spans:
        return []
    (query,) = embedder.encode_tokens([question], role="query")
    sentences = [sentence for e in encoded for sentence in e.alone]
    alone = np.stack([sentence.vector for sentence in sentences]) @ query.vector
    headed = np.concatenate([e.headed for e in encoded]) @ query.vector
    scored = [
        ScoredSentence(
            paper_id=paper.id,
            text=paper.abstract[start:end],
            start=start,
            end=end,
            similarity=float(similarity),
            coverage=coverage(terms, content_terms(f"{paper.heading} {paper.abstract[start:end]}"), weights),
            met=tuple(map(float, met)),
            addressed=addressed,
        )
        for (paper, start, end, addressed), similarity, met in zip(
            spans, (alone + headed) / 2, align(question, query, sentences, weights), strict=True
        )
    ]
    return sorted(scored, key=lambda sentence: -sentence.score)


def as_evidence(sentences: Sequence[ScoredSentence]) -> list[Evidence]:
    """Return the sentences as evidence, in the same order."""
    return [
        Evidence(paper_id=s.paper_id, sentence=s.text, start=s.start, end=s.end, score=s.score)
        for s in sentences
    ]


def spans_of(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences with at least MIN_WORDS words; of all sentences if none has."""
    spans = body_sentences(text)
    return [(start, end) for start, end in spans if len(text[start:end].split()) >= MIN_WORDS] or spans
