"""A question, the turns before it and what the index holds → the one `Query` that everything after reads."""

from collections.abc import Sequence

from rag_qa.answering.query.asking import asked
from rag_qa.answering.query.constraints import understand
from rag_qa.answering.query.followups import resolve
from rag_qa.answering.query.questions import question_kind
from rag_qa.errors import FilterError
from rag_qa.index.facets import Facets
from rag_qa.retrieval.filters import matching
from rag_qa.types import EVERY_PAPER, Answer, Filter, Query, QuestionKind


def parse(
    question: str,
    history: Sequence[Answer] = (),
    *,
    wanted: Filter = EVERY_PAPER,
    facets: Facets,
    literal: bool = False,
) -> Query:
    """Return the question as it is understood; `wanted` is the user's own filter, which always holds.

    A literal question is taken as it stands. Raises QuestionError for a place in a list that no paper has, FilterError
    where no paper passes the user's own filter.
    """
    if wanted.text:
        matching(wanted, facets)
    if literal:
        return Query(text=question, topic=question, kind=_kind(question), filter=wanted)
    understood = understand(question, facets)
    if history and not (understood and understood.counts):
        resolved = resolve(question, history)
        if resolved.within is not None or resolved.question != question:
            return Query(
                text=resolved.question,
                topic=resolved.question,
                kind=_kind(resolved.question),
                filter=wanted,
                within=resolved.within,
                wanted=resolved.asks,
                understood_as=resolved.understood_as,
            )
    resolved = resolve(question, ())
    if understood is None:
        return Query(text=question, topic=question, kind=_kind(question), filter=wanted, wanted=resolved.asks)
    both = _both(wanted, understood.filter)
    nothing = None
    try:
        matching(both, facets)
    except FilterError as exc:
        nothing = str(exc)
    return Query(
        text=question,
        topic=understood.topic,
        kind="which" if not understood.topic else _kind(question),
        filter=both,
        counts=understood.counts,
        understood_as=understood.text,
        nothing=nothing,
    )


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


def _kind(question: str) -> QuestionKind:
    kind = question_kind(question)
    if kind != "fact":
        return kind
    type_ = asked(question).type
    return "yesno" if type_ == "yes or no" else "number" if type_ == "number" else "fact"
