"""What a question ranges over: the filter that the user set, and that which the question itself asks for."""

from typing import NamedTuple

import numpy as np

from rag_qa.answering.collection import understand
from rag_qa.errors import FilterError
from rag_qa.index.exact import Places
from rag_qa.index.facets import Facets
from rag_qa.retrieval.filters import matching
from rag_qa.types import Filter


class Scope(NamedTuple):
    """What to search for ("" for no topic), among which papers (None: all), and whether they are only to be counted.

    `filter` is what the question itself restricts to, `understood_as` tells the user how it was read, and `nothing`
    says why no paper can be meant.
    """

    topic: str
    filter: Filter = Filter()
    passing: Places | None = None
    counts: bool = False
    understood_as: str | None = None
    nothing: str | None = None


def find_scope(question: str, wanted: Filter, facets: Facets, *, reads_filters: bool) -> Scope:
    """Return the scope of a question under the user's own filter. Raises FilterError where nothing passes that."""
    passing = matching(wanted, facets) if wanted.text else None
    understood = understand(question, facets) if reads_filters else None
    if understood is None:
        return Scope(question, passing=passing)
    try:
        own = matching(understood.filter, facets)
    except FilterError as exc:
        return Scope(understood.topic, understood.filter, understood_as=understood.text, nothing=str(exc))
    both = own if passing is None else np.intersect1d(own, passing)
    nothing = None if len(both) else f"none of the papers {wanted.text} is {understood.filter.text}"
    return Scope(understood.topic, understood.filter, both, understood.counts, understood.text, nothing)
