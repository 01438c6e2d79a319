"""One question from hits to answer: relevance, evidence, abstention, quotes or checked prose."""

from collections.abc import Iterator, Sequence

from rag_qa.answering.answerability import Judged, judge_answer, judge_named
from rag_qa.answering.collection import understand
from rag_qa.answering.composing import choose_sentences, quote, whole_abstracts
from rag_qa.answering.evidence import ScoredSentence, label, score_sentences
from rag_qa.answering.explaining import explain
from rag_qa.answering.followups import Resolved
from rag_qa.answering.listing import Listed, introduce, list_papers
from rag_qa.answering.metadata import tell, told_by_metadata
from rag_qa.answering.questions import QuestionKind, names_only, question_kind
from rag_qa.answering.receipts import Receipt
from rag_qa.answering.relevance import assess
from rag_qa.answering.scope import Scope, find_scope
from rag_qa.answering.terms import question_terms
from rag_qa.answering.writing import Writer
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Reranker
from rag_qa.retrieval.reranking import rerank
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings
from rag_qa.types import Answer, Asked, Event, Evidence, Explanation, Filter, Hit, Paper, Sentence

NO_PAPERS = "the index holds no papers"
NEAREST = 3
# Cosine under which a paper that the question names ("the second one") has nothing to do with the rest of it.
NAMED_LIKENESS = 0.1


class Answering:
    """Answers questions from one index: in quotes, or in prose where there is a writer."""

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        writer: Writer | None,
        settings: Settings,
        reranker: Reranker | None = None,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._writer = writer
        self._settings = settings
        self._reranker = reranker
        self._retriever = Retriever(index, embedder, pool=settings.pool, dense=settings.dense)

    def search(
        self, query: str, k: int, scope: Scope | None = None, within: Sequence[str] | None = None
    ) -> list[Hit]:
        """Return the k best papers, best first; with a reranker, out of its first `rerank_depth`."""
        passing = scope.passing if scope else None
        if self._reranker is None:
            return self._retriever.search(query, k, within=within, passing=passing)
        depth = self._settings.rerank_depth
        hits = self._retriever.search(query, max(k, depth), within=within, passing=passing)
        return rerank(query, hits, self._reranker, depth=depth)[:k]

    def similar(self, paper: Paper, k: int) -> list[Hit]:
        """Return the k papers most like one, best first."""
        return self._retriever.similar(paper, k)

    def explain(self, query: str, hits: Sequence[Hit]) -> list[Explanation]:
        """Return why each hit was found."""
        return explain(query, hits, self._index, self._embedder)

    def scope(self, question: str, wanted: Filter, *, reads_filters: bool) -> Scope:
        """Return what a question ranges over. Raises FilterError where no paper passes the filter."""
        return find_scope(question, wanted, self._index.facets, reads_filters=reads_filters)

    def count(self, wanted: Filter) -> int:
        """Return how many papers pass a filter. Raises FilterError where none does."""
        passing = self.scope("", wanted, reads_filters=False).passing
        return self._index.manifest.counts.papers if passing is None else len(passing)

    def answer(
        self, asked: str, resolved: Resolved, wanted: Filter, *, reads_filters: bool
    ) -> Iterator[Event]:
        """Yield the hits, then each sentence once it is checked, then the whole answer."""
        receipt = Receipt(self._settings, self._index.manifest)
        put = Asked(**resolved.model_dump(), filter=wanted, literal=not reads_filters)
        with receipt.timed("search"):
            reads_filters = reads_filters and resolved.within is None
            scope = self.scope(resolved.question, wanted, reads_filters=reads_filters)
            found = self._listed(scope) if scope.understood_as and (scope.counts or not scope.topic) else None
            kind = question_kind(resolved.question)
            hits = found.hits if found else self._searched(scope, kind, resolved)
        understood_as = scope.understood_as or resolved.understood_as
        told = [] if found else self._told(resolved, hits) or self._introduced(resolved, hits)
        judged = None
        yield Event(kind="hits", hits=tuple(hits), understood_as=understood_as)
        sentences: list[Sentence] = []
        if found or told or not hits:
            said = iter(found.sentences if found else told)
        else:
            with receipt.timed("evidence"):
                judged = self._judged(scope.topic, resolved, hits)
                evidence = self._evidence(judged, kind)
            said = self._sentences(scope.topic, kind, evidence, judged, hits, receipt)
        for sentence in said:
            sentences.append(sentence)
            yield Event(kind="sentence", sentence=sentence)
        yield Event(
            kind="answer",
            answer=_answer(asked, put, understood_as, scope, judged, sentences, hits, receipt),
        )

    def confidences(self, question: str, held_out: str) -> tuple[float, float]:
        """Return how probably the papers answer a question taken as it stands, and how probably without one of them.

        The paper held out is left out of what search finds, which is a place longer for it; 0 where nothing is left.
        """
        considered = self._considered(question_kind(question))
        found = self.search(question, considered + 1)
        sentences = self._scored(question, found)
        without = [hit for hit in found if hit.paper.id != held_out]
        sure, unsure = (
            self._judge(question, hits[:considered], sentences).confidence if hits else 0.0
            for hits in (found, without)
        )
        return sure, unsure

    def _told(self, resolved: Resolved, hits: Sequence[Hit]) -> list[Sentence]:
        """Return what the index's metadata say, where the question asks for nothing else."""
        papers = [hit.paper for hit in hits]
        told = told_by_metadata(resolved.question, resolved.asks, resolved.within, papers)
        return [tell(paper, resolved.asks) for paper in told]

    def _introduced(self, resolved: Resolved, hits: Sequence[Hit]) -> list[Sentence]:
        """Return a quote from each paper that the question names, where it asks for nothing but them."""
        if resolved.within is None or not names_only(resolved.question):
            return []
        return introduce(self._index, hits)

    def _searched(self, scope: Scope, kind: QuestionKind, resolved: Resolved) -> list[Hit]:
        if scope.nothing:
            return []
        return self.search(scope.topic, self._considered(kind), scope, resolved.within)

    def _considered(self, kind: QuestionKind) -> int:
        return self._settings.listed_papers if kind == "which" else self._settings.evidence_papers

    def _listed(self, scope: Scope) -> Listed:
        """Return the papers that the index's metadata alone can give, with a quote from each."""
        if scope.nothing:
            return Listed([], [])
        return list_papers(self._index, scope, self._settings.listed_papers)

    def counts_papers(self, question: str) -> bool:
        """Return whether a question asks for a number of papers, and so stands alone."""
        understood = understand(question, self._index.facets)
        return understood is not None and understood.counts

    def _evidence(self, judged: Judged, kind: QuestionKind) -> list[Evidence]:
        chosen = choose_sentences(
            judged.relevant,
            kind,
            sentences=self._settings.evidence_sentences,
            papers=self._settings.listed_papers,
        )
        return label(chosen)

    def _judged(self, topic: str, resolved: Resolved, hits: Sequence[Hit]) -> Judged:
        """Return which hits answer, and how probably; where the question names its papers, by rules of its own."""
        judged = self._judge(topic, hits, self._scored(topic, hits))
        if resolved.within is None:
            return judged
        return judge_named(topic, judged, [hit.paper for hit in hits], NAMED_LIKENESS)

    def _scored(self, topic: str, hits: Sequence[Hit]) -> list[ScoredSentence]:
        terms = question_terms(topic)
        weights = self._index.term_weights(terms)
        return score_sentences(topic, terms, [hit.paper for hit in hits], weights, self._embedder)

    def _judge(self, topic: str, hits: Sequence[Hit], sentences: Sequence[ScoredSentence]) -> Judged:
        terms = question_terms(topic)
        weights = self._index.term_weights(terms)
        assessed = assess(hits, sentences, terms, weights)
        return judge_answer(topic, assessed, [hit.paper for hit in hits], terms, weights, self._wanted())

    def _wanted(self) -> float | None:
        """Return the confidence that the settings want, else this index's calibration; None for what ships."""
        if self._settings.min_relevance is not None:
            return self._settings.min_relevance
        calibration = self._index.manifest.calibration
        return calibration.threshold if calibration else None

    def _sentences(
        self,
        question: str,
        kind: QuestionKind,
        evidence: Sequence[Evidence],
        judged: Judged,
        hits: Sequence[Hit],
        receipt: Receipt,
    ) -> Iterator[Sentence]:
        if not evidence:
            return
        if self._writer is None or kind == "which":
            yield from map(quote, evidence)
            return
        titles = {hit.paper.id: hit.paper.heading for hit in hits}
        offered = evidence
        if self._settings.whole_abstracts:
            offered = label(whole_abstracts(judged.relevant, papers=self._settings.evidence_papers))
        yield from self._writer.write(question, offered, evidence, titles, receipt)


def _answer(
    question: str,
    asked: Asked,
    understood_as: str | None,
    scope: Scope,
    judged: Judged | None,
    sentences: Sequence[Sentence],
    hits: Sequence[Hit],
    receipt: Receipt,
) -> Answer:
    papers = {hit.paper.id: hit.paper for hit in hits}
    cited = dict.fromkeys(citation.paper_id for s in sentences for citation in s.citations)
    abstained = not sentences
    return Answer(
        question=question,
        abstained=abstained,
        reason=(receipt.declined or _reason(scope, judged)) if abstained else None,
        sentences=tuple(sentences),
        papers=tuple(papers[key] for key in cited),
        nearest=tuple(hit.paper for hit in hits[:NEAREST]) if abstained else (),
        provenance=receipt.provenance,
        timings=receipt.finish(),
        understood_as=understood_as,
        asked=asked,
        model_input=receipt.model_input,
        confidence=judged.confidence if judged else None,
    )


def _reason(scope: Scope, judged: Judged | None) -> str:
    """Return why there is no answer."""
    if scope.nothing:
        return scope.nothing
    if scope.counts and scope.topic:
        return f"no paper{f' {scope.filter.text}' if scope.filter.text else ''} mentions “{scope.topic}”"
    return judged.why_not if judged else NO_PAPERS
