"""A question, the turns before it and what the index holds → the `Query` that all later stages read."""

from collections.abc import Sequence

from rag_qa.answering.query.followups import Known, follow_up
from rag_qa.answering.query.kinds import Kind, counted_topic, in_quotes, kind_of
from rag_qa.answering.query.restrictions import restriction
from rag_qa.answering.query.rewriting import Rewriter
from rag_qa.errors import FilterError
from rag_qa.index.facets import Facets
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.retrieval.filters import matching
from rag_qa.types import EVERY_PAPER, Answer, Filter, Query


def parse(
    question: str,
    history: Sequence[Answer] = (),
    *,
    wanted: Filter = EVERY_PAPER,
    facets: Facets,
    literal: bool = False,
    embedder: Embedder | None = None,
    index: Index | None = None,
    rewriter: Rewriter | None = None,
) -> Query:
    """Return the question as it is understood.

    `wanted` is the user's own filter, which always holds. If `literal`, the question is not interpreted. A follow-up
    question is resolved to papers shown, or papers of the `index` that it names; else the `rewriter` makes it stand
    alone. Raises QuestionError for a position in a list that no paper has, FilterError if no paper passes `wanted`.
    """
    if wanted.text:
        matching(wanted, facets)
    kind = kind_of(question, embedder)
    if literal:
        return Query(text=question, topic=question, kind=kind.kind, filter=wanted)
    known = Known(facets, index, embedder, rewriter)
    if history and (query := follow_up(question, history, kind, known)):
        return query.model_copy(update={"filter": wanted})
    return _alone(question, kind, wanted, facets, index)


def _alone(question: str, kind: Kind, wanted: Filter, facets: Facets, index: Index | None) -> Query:
    """Return the query of a question that stands alone; a filter that was read is shown in `understood_as`."""
    read = restriction(question, facets, index)
    query = Query(text=question, topic=question, kind=kind.kind, filter=wanted, wanted=kind.wanted)
    if kind.kind != "which" and (kind.wanted or not read.filter.text or read.topic):
        return query
    topic = read.topic if read.filter.text else question
    update = {"kind": "which", "counts": kind.counts, "topic": counted_topic(topic) if kind.counts else topic}
    both = _both(wanted, read.filter)
    unknown = Filter(authors=read.unknown)
    nothing = _none_passes(unknown if read.unknown else both, facets)
    if nothing and (read.unknown or not topic or kind.counts):
        update["nothing"] = nothing
    elif nothing:
        update["understood_as"] = f"{topic} (of any paper: none is {read.filter.text})"
    elif read.filter.text or kind.counts:
        update |= {"filter": both, "understood_as": _in_words(str(update["topic"]), both, counts=kind.counts)}
        if topic and read.doubtful:
            update["fallback"] = _both(wanted, read.filter.model_copy(update={"since": None, "until": None}))
    return query.model_copy(update=update)


def _none_passes(filter: Filter, facets: Facets) -> str:
    """Return the reason why no paper passes a filter; "" if one does."""
    try:
        matching(filter, facets)
    except FilterError as exc:
        return str(exc)
    return ""


def _in_words(topic: str, filter: Filter, *, counts: bool) -> str:
    papers = f"{'the number of ' if counts else ''}papers {filter.text}".rstrip()
    if not topic:
        return papers
    return f"{papers} that mention {in_quotes(topic)}" if counts else f"{papers}; “{topic}”"


def _both(one: Filter, other: Filter) -> Filter:
    """Return the filter that combines both; the venues are those of `other` if it has any."""
    return Filter(
        since=max((year for year in (one.since, other.since) if year is not None), default=None),
        until=min((year for year in (one.until, other.until) if year is not None), default=None),
        venues=other.venues or one.venues,
        authors=tuple(dict.fromkeys(one.authors + other.authors)),
        sources=one.sources,
        statuses=one.statuses,
        without=one.without,
    )
