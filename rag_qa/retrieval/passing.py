"""The papers of an index that pass a filter, whole and in order of ids."""

from collections.abc import Iterator

from rag_qa.index.reader import Index
from rag_qa.retrieval.filters import matching
from rag_qa.types import EVERY_PAPER, Filter, Paper


def passing_papers(index: Index, filter: Filter = EVERY_PAPER) -> Iterator[Paper]:
    """Yield the papers that pass the filter, in order of ids. Raises FilterError if none does."""
    rows = None if filter == EVERY_PAPER else set(matching(filter, index.facets).tolist())
    return (paper for row, paper in enumerate(index.papers()) if rows is None or row in rows)
