"""Query → events: hits, sentences as they are checked, the answer. Here the rooms are put together.

There are four ways to answer, chosen in `Pipeline._way`: by listing or counting all papers that a filter or a word
picks out, from metadata, as a ranked list of papers, and from evidence. Each takes a query and returns a draft.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from rag_qa.answering.evidence.addressed import are_addressed
from rag_qa.answering.evidence.answerability import (
    NOTHING_SAID,
    Decision,
    Said,
    decide,
    decide_list,
    decide_named,
)
from rag_qa.answering.evidence.choosing import both_sides, choose_sentences, to_read
from rag_qa.answering.evidence.relevance import Relevance, assess, is_on_topic, worth_reading
from rag_qa.answering.evidence.scoring import ScoredSentence, as_evidence, encode_paper, score_sentences
from rag_qa.answering.explaining import explain
from rag_qa.answering.listing import Listed, introduce, list_papers, mentioning
from rag_qa.answering.metadata_answers import metadata_sentence, papers_asked_about
from rag_qa.answering.query.kinds import asked_topic, in_quotes
from rag_qa.answering.query.languages import language_note
from rag_qa.answering.query.questions import names_only
from rag_qa.answering.query.restrictions import asks_for_papers
from rag_qa.answering.quoting import quote
from rag_qa.answering.synthesis import Synthesis
from rag_qa.answering.trace import Trace
from rag_qa.index.exact import Ordinals
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Reranker
from rag_qa.retrieval.filters import matching
from rag_qa.retrieval.reranking import rerank
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings
from rag_qa.text.words import question_terms
from rag_qa.types import EVERY_PAPER, Answer, Event, Explanation, Filter, Hit, Paper, Query, Sentence

NO_PAPERS = "the index holds no papers"
ADDRESSED = "the papers found hold only text that addresses its reader, which is not evidence"
# Papers shown with an abstention.
NEAREST = 3
# Papers whose encodings are kept for later questions; each takes about half a megabyte.
KEPT_PAPERS = 128
# The introduction of a list is about papers with this probability or more. Of 154 such papers listed for the requests
# of eval/sets/dev and eval/sets/lists/dev that some paper meets, .87 meet them; of all 212 listed, .75. That is
# by search alone, before a language model read each paper.
LIKELY = 0.5
# With a language model, a list is chosen from this many papers or more: those in other words than the request's are
# further down.
SEARCHED = 20
# A language model is asked whether a paper meets a request by this many of its sentences.
MATCH_SENTENCES = 2
# Below this similarity, a paper that the question names ("the second one") has nothing to do with the rest of it.
NAMED_LIKENESS = 0.1


class AnswerDraft(NamedTuple):
    """The papers found, and the events of the answer: pieces of text, and sentences."""

    hits: Sequence[Hit]
    events: Iterator[Event]


class Pipeline:
    """Answers queries from one index: in prose with a synthesis, in quotes without."""

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        synthesis: Synthesis | None,
        settings: Settings,
        reranker: Reranker | None = None,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._encode = lru_cache(KEPT_PAPERS)(partial(encode_paper, embedder=embedder))
        self._synthesis = synthesis
        self._settings = settings
        self._reranker = reranker
        self._retriever = Retriever(index, embedder, pool=settings.pool, dense=settings.dense)

    def search(
        self, text: str, k: int, filter: Filter = EVERY_PAPER, within: Sequence[str] | None = None
    ) -> list[Hit]:
        """Return the k best papers, best first; a reranker reorders the first `rerank_depth`.

        `within` are the ids of the papers to search, None for all. Raises FilterError if no paper passes the filter.
        """
        passing = self._passing(filter)
        if self._reranker is None:
            return self._retriever.search(text, k, within=within, passing=passing)
        depth = self._settings.rerank_depth
        hits = self._retriever.search(text, max(k, depth), within=within, passing=passing)
        return rerank(text, hits, self._reranker, depth=depth)[:k]

    def similar(self, paper: Paper, k: int) -> list[Hit]:
        """Return the k papers most similar to one, best first."""
        return self._retriever.similar(paper, k)

    def explain(self, text: str, hits: Sequence[Hit]) -> list[Explanation]:
        """Return why each hit was found."""
        return explain(text, hits, self._index, self._embedder)

    def count(self, filter: Filter) -> int:
        """Return how many papers pass a filter. Raises FilterError if none does."""
        passing = self._passing(filter)
        return self._index.manifest.counts.papers if passing is None else len(passing)

    def answer(self, question: str, query: Query) -> Iterator[Event]:
        """Yield the hits, then each sentence once it is checked, then the whole answer."""
        trace = Trace(self._settings, self._index.manifest)
        with trace.timed("search"):
            query = self._of_things(self._of_any_year(query))
            draft = self._way(query)(query, trace)
        yield Event(kind="hits", hits=tuple(draft.hits), query=query)
        sentences: list[Sentence] = []
        for event in draft.events:
            sentences += [event.sentence] if event.sentence else []
            yield event
        answer = _answer(question, query, sentences, draft.hits, trace)
        if answer.reason and not query.nothing:
            note = language_note(question, self._index.manifest.embedder.name)
            answer = answer.model_copy(update={"reason": answer.reason + note})
        yield Event(kind="answer", answer=answer)

    def confidences(self, query: Query, held_out: str) -> tuple[float, float]:
        """Return the probability that the papers answer a question, with all of them and without one, by scores alone.

        Search finds one paper more, so that as many remain without the one held out; 0 if none remains.
        """
        considered = self._considered(query)
        found = self._usable(self.search(query.topic, considered + 1, query.filter, query.within))
        sentences = self._scored(query, found)
        without = [hit for hit in found if hit.paper.id != held_out]
        sure, unsure = (
            self._decide(query, hits[:considered], sentences).confidence if hits else 0.0
            for hits in (found, without)
        )
        return sure, unsure

    def _way(self, query: Query) -> Callable[[Query, Trace], AnswerDraft]:
        if query.nothing:
            return self._nothing
        if query.counts or not query.topic:
            return self._list_all
        if query.wanted:
            return self._from_metadata
        return self._list if query.kind == "which" else self._from_evidence

    def _of_any_year(self, query: Query) -> Query:
        """Drop the year from a request for papers if it belongs to the topic ("the drought in 2003").

        That is so if no paper of that year meets the request, or if a paper of another year does and names the year.
        """
        if query.fallback is None:
            return query
        if query.counts:
            return self._counted_of_any_year(query, query.fallback)
        update = {"filter": query.fallback, "fallback": None, "topic": query.text}
        wide = query.model_copy(update=update | {"understood_as": f"{query.text} (papers of any year)"})
        if not self._meeting(query):
            return wide if self._meeting(wide) else query
        year = query.filter.since if query.filter.since == query.filter.until else None
        return wide if year and any(_speaks_of(year, paper) for paper in self._meeting(wide)) else query

    def _counted_of_any_year(self, query: Query, fallback: Filter) -> Query:
        """Count the papers that mention the year with the topic, if there are any, and not the papers of the year."""
        topic = asked_topic(query.text)
        if not len(mentioning(self._index, topic, self._passing(fallback))):
            return query
        understood = f"the number of papers (of any year) that mention “{topic}”"
        return query.model_copy(
            update={"filter": fallback, "fallback": None, "topic": topic, "understood_as": understood}
        )

    def _of_things(self, query: Query) -> Query:
        """Return a question for a number in place of a count of papers, if no paper would be counted.

        "How many tweets were collected?" has no word for papers, and no paper mentions “tweets collected”.
        """
        counts_topic = query.counts and query.topic and not query.filter.text and not query.nothing
        if not counts_topic or asks_for_papers(query.text) or len(mentioning(self._index, query.topic, None)):
            return query
        update = {"kind": "number", "counts": False, "topic": query.text, "understood_as": None}
        return query.model_copy(update=update)

    def _meeting(self, query: Query) -> list[Paper]:
        """Return the papers that meet a request for papers."""
        hits = self._usable(self._found(query))
        met = {paper.paper_id for paper in self._decided_list(query, hits).relevant} if hits else ()
        return [hit.paper for hit in hits if hit.paper.id in met]

    def _nothing(self, query: Query, trace: Trace) -> AnswerDraft:
        return AnswerDraft([], iter(()))

    def _list_all(self, query: Query, trace: Trace) -> AnswerDraft:
        """List or count all papers that pass the filter and mention the topic."""
        listed = list_papers(
            self._index, query, self._passing(query.filter), self._settings.listed_papers, self._addressed
        )
        return self._quoted(listed, trace)

    def _from_metadata(self, query: Query, trace: Trace) -> AnswerDraft:
        """Answer from the metadata of the papers that the question names, or from evidence if it names none."""
        hits = self._found(query)
        papers = papers_asked_about(query, [hit.paper for hit in hits])
        if papers:
            return AnswerDraft(hits, _events([metadata_sentence(paper, query.wanted) for paper in papers]))
        return self._from_evidence(query, trace)

    def _list(self, query: Query, trace: Trace) -> AnswerDraft:
        """List the papers that meet a request, each with the sentence that shows why."""
        hits = self._found(query)
        return AnswerDraft(hits, self._listed(query, hits, trace) if hits else iter(()))

    def _listed(self, query: Query, hits: Sequence[Hit], trace: Trace) -> Iterator[Event]:
        with trace.timed("evidence"):
            hits = self._usable(hits, trace)
            if not hits:
                return
            decision = trace.decision = self._decided_list(query, hits)
        # A list of which search is not sure is read all the same, unless nothing is on its topic.
        if self._synthesis and query.within is None and is_on_topic(decision.assessed):
            shown = {
                p.paper_id: as_evidence(p.sentences[:MATCH_SENTENCES])
                for p in worth_reading(decision.assessed)
            }
            matched = self._synthesis.matches(query, shown, _titles(hits), trace)
            decision = trace.decision = self._decide_list(query, hits, decision.assessed, matched)
        evidence = as_evidence(choose_sentences(decision.relevant, query.kind, self._settings))
        if self._synthesis:
            likely = {paper.paper_id for paper in decision.relevant if paper.probability >= LIKELY}
            cited = [piece for piece in evidence if piece.paper_id in likely]
            material = self._synthesis.read(query, cited, cited, _titles(hits), trace)
            if material:
                yield from self._synthesis.introduce(material, trace)
        yield from _events(list(map(quote, evidence)))

    def _decided_list(self, query: Query, hits: Sequence[Hit]) -> Decision:
        """Return which of the hits meet a request for papers; by rules if the question names its papers."""
        assessed = assess(hits, self._scored(query, hits), *self._terms(query))
        decision = self._decide_list(query, hits, assessed)
        if query.within is None:
            return decision
        return decide_named(query, decision, [hit.paper for hit in hits], NAMED_LIKENESS)

    def _decide_list(
        self,
        query: Query,
        hits: Sequence[Hit],
        assessed: Sequence[Relevance],
        matched: Mapping[str, float] | None = None,
    ) -> Decision:
        """Return which of the hits meet a request for papers.

        The calibration of an index is not used: it is of whether papers state an answer.
        """
        papers, (_, weights) = [hit.paper for hit in hits], self._terms(query)
        wanted = self._settings.min_relevance
        return decide_list(query, assessed, papers, weights, wanted=wanted, matched=matched)

    def _from_evidence(self, query: Query, trace: Trace) -> AnswerDraft:
        """Answer from the sentences of the papers found, or abstain."""
        hits = self._found(query)
        if query.within is not None and names_only(query.text) and self._synthesis is None:
            return self._quoted(introduce(self._index, hits, self._addressed), trace)
        return AnswerDraft(hits, self._answered(query, hits, trace) if hits else iter(()))

    def _answered(self, query: Query, hits: Sequence[Hit], trace: Trace) -> Iterator[Event]:
        with trace.timed("evidence"):
            hits = self._usable(hits, trace)
            if not hits:
                return
            scored = self._scored(query, hits)
            decision = self._decided(query, hits, scored)
        trace.decision = decision
        if self._synthesis is None:
            yield from _events(
                list(map(quote, as_evidence(choose_sentences(decision.relevant, query.kind, self._settings))))
            )
            return
        material = self._synthesis.read(
            query,
            as_evidence(to_read(decision.assessed, query, self._settings)),
            as_evidence(scored),
            _titles(hits),
            trace,
        )
        if material is None:
            return
        stated = self._synthesis.states(material, trace)

        def accepts(confirmed: float | None, supported: float | None) -> bool:
            trace.decision = self._decided(query, hits, scored, Said(stated, confirmed, supported))
            return bool(trace.decision.relevant)

        if not accepts(None, None):
            return
        sides = as_evidence(both_sides(trace.decision.relevant, query))
        if sides:
            yield from self._synthesis.contrast(material, sides, trace, accepts=accepts)
        else:
            yield from self._synthesis.write(material, trace, accepts=accepts)

    def _found(self, query: Query) -> list[Hit]:
        return self.search(query.topic, self._considered(query), query.filter, query.within)

    def _considered(self, query: Query) -> int:
        if query.kind != "which":
            return self._settings.evidence_papers
        return max(self._settings.listed_papers, SEARCHED if self._synthesis else 0)

    def _passing(self, filter: Filter) -> Ordinals | None:
        return matching(filter, self._index.facets) if filter.text else None

    def _usable(self, hits: Sequence[Hit], trace: Trace | None = None) -> list[Hit]:
        """Return the hits whose papers have a sentence that may be evidence; the trace notes those with others."""
        found = {hit.paper.id: self._encode(hit.paper).addressed for hit in hits}
        usable = [hit for hit in hits if not all(found[hit.paper.id])]
        if trace is not None:
            trace.addressed = [key for key, addressed in found.items() if any(addressed)]
            trace.unsupported = None if usable else ADDRESSED
        return usable

    def _scored(self, query: Query, hits: Sequence[Hit]) -> list[ScoredSentence]:
        """Return the sentences that may be evidence, best first: all but those that address their reader."""
        terms, weights = self._terms(query)
        papers = [hit.paper for hit in hits]
        scored = score_sentences(query.topic, terms, papers, weights, self._embedder, self._encode)
        return [sentence for sentence in scored if not sentence.addressed]

    def _quoted(self, listed: Listed, trace: Trace) -> AnswerDraft:
        """Return the draft of a list that needs no ranking; the trace notes whose text addresses its reader."""
        trace.addressed = listed.addressed
        if listed.addressed and not listed.sentences:
            trace.unsupported = ADDRESSED
        return AnswerDraft(listed.hits, _events(listed.sentences))

    def _addressed(self, texts: Sequence[str]) -> list[bool]:
        """Return which texts address their reader."""
        encoded = self._embedder.encode_tokens(texts, role="sentence")
        return are_addressed(texts, encoded, self._embedder)

    def _decided(
        self,
        query: Query,
        hits: Sequence[Hit],
        sentences: Sequence[ScoredSentence],
        said: Said = NOTHING_SAID,
    ) -> Decision:
        """Return whether the hits answer; by rules if the question names its papers and no model has read them."""
        decision = self._decide(query, hits, sentences, said)
        if query.within is None or said.stated is not None:
            return decision
        return decide_named(query, decision, [hit.paper for hit in hits], NAMED_LIKENESS)

    def _decide(
        self,
        query: Query,
        hits: Sequence[Hit],
        sentences: Sequence[ScoredSentence],
        said: Said = NOTHING_SAID,
    ) -> Decision:
        terms, weights = self._terms(query)
        papers = [hit.paper for hit in hits]
        assessed = assess(hits, sentences, terms, weights)
        return decide(query, assessed, papers, terms, weights, wanted=self._wanted(), said=said)

    def _terms(self, query: Query) -> tuple[list[str], dict[str, float]]:
        """Return the terms of the topic, and the weight of each (inverse document frequency)."""
        terms = question_terms(query.topic)
        return terms, self._index.term_weights(terms)

    def _wanted(self) -> float | None:
        """Return the confidence to ask for, by the settings or the index's calibration; None for the fitted one."""
        if self._settings.min_relevance is not None:
            return self._settings.min_relevance
        calibration = self._index.manifest.calibration
        return calibration.threshold if calibration and self._synthesis is None else None


def _events(sentences: Sequence[Sentence]) -> Iterator[Event]:
    return (Event(kind="sentence", sentence=sentence) for sentence in sentences)


def _speaks_of(year: int, paper: Paper) -> bool:
    """Return whether a paper names a year that is not its own."""
    return paper.year != year and bool(re.search(rf"\b{year}\b", f"{paper.title} {paper.abstract}"))


def _titles(hits: Sequence[Hit]) -> dict[str, str]:
    return {hit.paper.id: hit.paper.heading for hit in hits}


def _answer(
    question: str, query: Query, sentences: Sequence[Sentence], hits: Sequence[Hit], trace: Trace
) -> Answer:
    papers = {hit.paper.id: hit.paper for hit in hits}
    cited = dict.fromkeys(citation.paper_id for s in sentences for citation in s.citations)
    told = [*cited, *(hit.paper.id for hit in hits[:NEAREST] if hit.paper.id not in cited)]
    abstained = not sentences
    return Answer(
        question=question,
        abstained=abstained,
        reason=_reason(query, trace) if abstained else None,
        sentences=tuple(sentences),
        papers=tuple(papers[key] for key in cited),
        nearest=tuple(hit.paper for hit in hits[:NEAREST]) if abstained else (),
        provenance=trace.provenance | {"clues": dict(trace.decision.clues) if trace.decision else {}},
        timings=trace.finish(),
        query=query,
        model_input=trace.model_input,
        confidence=trace.decision.confidence if trace.decision else None,
        set_aside=tuple(papers[key] for key in told if key in trace.addressed),
    )


def _reason(query: Query, trace: Trace) -> str:
    if query.nothing:
        return query.nothing
    if query.counts and query.topic and trace.unsupported is None:
        return f"no paper{f' {query.filter.text}' if query.filter.text else ''} mentions {in_quotes(query.topic)}"
    return trace.why_not or NO_PAPERS
