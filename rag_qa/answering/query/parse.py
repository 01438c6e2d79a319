"""A question, the turns before it and what the index holds → the one `Query` that everything after reads."""

import re
from collections.abc import Sequence

from rag_qa.answering.query.followups import follow_up
from rag_qa.answering.query.kinds import Kind, asked_topic, kind_of
from rag_qa.answering.query.restrictions import restriction
from rag_qa.answering.query.rewriting import Rewriter
from rag_qa.errors import FilterError
from rag_qa.index.facets import Facets
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.retrieval.filters import matching
from rag_qa.types import EVERY_PAPER, Answer, Filter, Query

# What a number of papers is asked for by; a question that counts anything else is one on what papers say.
COUNTABLE = re.compile(
    r"\b(?:papers?|articles?|stud(?:y|ies)|publications?|preprints?|abstracts?|works?|documents?|entries|titles?|ones?"
    r"|these|those|you|library|index|collection|corpus)\b",
    re.IGNORECASE,
)

COUNTING = re.compile(r"\b(?:how\s+(?:many|much)|number|count|total|amount|tally)\b", re.IGNORECASE)


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
    """Return the question as it is understood; `wanted` is the user's own filter, which always holds.

    A literal question is taken as it stands. One that looks back is resolved over the papers shown, and
    those of the `index` that it names; else a rewriter makes it stand alone. Raises QuestionError for a place in a
    list that no paper has, FilterError where no paper passes the user's own filter.
    """
    if wanted.text:
        matching(wanted, facets)
    kind = kind_of(question, embedder)
    if literal:
        return Query(text=question, topic=question, kind=kind.kind, filter=wanted)
    if history and (
        query := follow_up(
            question, history, kind, facets=facets, embedder=embedder, index=index, rewriter=rewriter
        )
    ):
        return query.model_copy(update={"filter": wanted})
    return alone(question, kind, wanted, facets)


def alone(question: str, kind: Kind, wanted: Filter, facets: Facets) -> Query:
    """Return what a question means that stands alone."""
    query = Query(text=question, topic=question, kind=kind.kind, filter=wanted, wanted=kind.wanted)
    read = restriction(question, facets)
    if kind.counts and not COUNTING.search(question):
        kind = Kind("which")
    if kind.counts and not read.filter.text and not COUNTABLE.search(question):
        return query.model_copy(update={"kind": "number"})
    if kind.kind not in ("which", "metadata") and read.filter.text and not read.topic:
        query = query.model_copy(update={"kind": "which"})
    elif kind.kind != "which":
        return query
    if read.unknown:
        return query.model_copy(update={"counts": kind.counts, "nothing": _unknown(read.unknown, facets)})
    topic = asked_topic(read.topic) if kind.counts else read.topic
    if not read.filter.text:
        topic = topic if kind.counts else question
        words = _in_words(topic, read.filter, counts=True) if kind.counts else None
        return query.model_copy(update={"topic": topic, "counts": kind.counts, "understood_as": words})
    both = _both(wanted, read.filter)
    update = {"filter": both, "topic": topic, "counts": kind.counts}
    update["understood_as"] = _in_words(topic, both, counts=kind.counts)
    try:
        matching(both, facets)
    except FilterError as exc:
        if not topic or kind.counts:
            update["nothing"] = str(exc)
        else:
            update |= {
                "filter": wanted,
                "understood_as": f"{topic} (of any paper: none is {read.filter.text})",
            }
    return query.model_copy(update=update)


def _unknown(names: Sequence[str], facets: Facets) -> str:
    """Return why no paper is by authors whom the index does not know."""
    try:
        matching(Filter(authors=tuple(names)), facets)
    except FilterError as exc:
        return str(exc)
    raise AssertionError("the names are unknown")


def _in_words(topic: str, filter: Filter, *, counts: bool) -> str:
    papers = f"{'the number of ' if counts else ''}papers {filter.text}".rstrip()
    if not topic:
        return papers
    return f"{papers} that mention “{topic}”" if counts else f"{papers}; “{topic}”"


def _both(one: Filter, other: Filter) -> Filter:
    """Return the filter that both are."""
    since = max((year for year in (one.since, other.since) if year is not None), default=None)
    until = min((year for year in (one.until, other.until) if year is not None), default=None)
    return Filter(
        since=since,
        until=until,
        venues=other.venues or one.venues,
        authors=tuple(dict.fromkeys(one.authors + other.authors)),
        sources=one.sources,
    )
