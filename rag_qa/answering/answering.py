"""One question from hits to answer: relevance, evidence, abstention, quotes or checked prose."""

from collections.abc import Iterator, Sequence

from rag_qa.answering.composing import choose_sentences, quote
from rag_qa.answering.evidence import label, score_sentences
from rag_qa.answering.followups import Resolved
from rag_qa.answering.questions import QuestionKind, question_kind
from rag_qa.answering.receipts import Receipt
from rag_qa.answering.relevance import Relevance, assess, default_threshold, keep_relevant
from rag_qa.answering.terms import question_terms
from rag_qa.answering.writing import Writer
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings
from rag_qa.types import Answer, Event, Evidence, Hit, Paper, Sentence

NO_PAPERS = "the index holds no papers"
NOTHING_RELEVANT = "no paper in the index speaks to this question"
NEAREST = 3
# Cosine under which a paper that the question names ("the second one") has nothing to do with the rest of it.
NAMED_LIKENESS = 0.1


class Answering:
    """Answers questions from one index: in quotes, or in prose where there is a writer."""

    def __init__(self, index: Index, embedder: Embedder, writer: Writer | None, settings: Settings) -> None:
        self._index = index
        self._embedder = embedder
        self._writer = writer
        self._settings = settings
        self._retriever = Retriever(index, embedder, pool=settings.pool, dense=settings.dense)

    def search(self, query: str, k: int, within: Sequence[str] | None = None) -> list[Hit]:
        """Return the k best papers, best first."""
        return self._retriever.search(query, k, within=within)

    def similar(self, paper: Paper, k: int) -> list[Hit]:
        """Return the k papers most like one, best first."""
        return self._retriever.similar(paper, k)

    def answer(self, asked: str, resolved: Resolved) -> Iterator[Event]:
        """Yield the hits, then each sentence once it is checked, then the whole answer."""
        receipt = Receipt(self._settings, self._index.manifest)
        kind = question_kind(resolved.question)
        with receipt.timed("search"):
            settings = self._settings
            considered = settings.listed_papers if kind == "which" else settings.evidence_papers
            hits = self.search(resolved.question, considered, resolved.within)
        yield Event(kind="hits", hits=tuple(hits))
        with receipt.timed("evidence"):
            evidence = self._evidence(resolved, kind, hits)
        sentences: list[Sentence] = []
        for sentence in self._sentences(resolved.question, evidence, hits, receipt):
            sentences.append(sentence)
            yield Event(kind="sentence", sentence=sentence)
        yield Event(kind="answer", answer=_answer(asked, sentences, hits, receipt))

    def _evidence(self, resolved: Resolved, kind: QuestionKind, hits: Sequence[Hit]) -> list[Evidence]:
        chosen = choose_sentences(
            self._relevant(resolved, hits),
            kind,
            sentences=self._settings.evidence_sentences,
            papers=self._settings.listed_papers,
        )
        return label(chosen)

    def _relevant(self, resolved: Resolved, hits: Sequence[Hit]) -> list[Relevance]:
        """Return the hits that are probably relevant; where the question names its papers, those at all like it."""
        terms = question_terms(resolved.question)
        weights = self._index.term_weights(terms)
        papers = [hit.paper for hit in hits]
        sentences = score_sentences(resolved.question, terms, papers, weights, self._embedder)
        assessed = assess(hits, sentences, terms, weights)
        if resolved.within is not None:
            return [paper for paper in assessed if paper.likeness >= NAMED_LIKENESS]
        threshold = self._settings.min_relevance
        threshold = default_threshold() if threshold is None else threshold
        return keep_relevant(assessed, threshold)

    def _sentences(
        self, question: str, evidence: Sequence[Evidence], hits: Sequence[Hit], receipt: Receipt
    ) -> Iterator[Sentence]:
        if not evidence:
            return
        if self._writer is None or question_kind(question) == "which":
            yield from map(quote, evidence)
            return
        titles = {hit.paper.id: hit.paper.heading for hit in hits}
        yield from self._writer.write(question, evidence, titles, receipt)


def _answer(asked: str, sentences: Sequence[Sentence], hits: Sequence[Hit], receipt: Receipt) -> Answer:
    papers = {hit.paper.id: hit.paper for hit in hits}
    cited = dict.fromkeys(citation.paper_id for s in sentences for citation in s.citations)
    abstained = not sentences
    return Answer(
        question=asked,
        abstained=abstained,
        reason=(NOTHING_RELEVANT if hits else NO_PAPERS) if abstained else None,
        sentences=tuple(sentences),
        papers=tuple(papers[key] for key in cited),
        nearest=tuple(hit.paper for hit in hits[:NEAREST]) if abstained else (),
        provenance=receipt.provenance,
        timings=receipt.finish(),
    )
