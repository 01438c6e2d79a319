"""Answers from the index's metadata: who wrote a paper, when and where it was published."""

import re
from collections.abc import Sequence

from rag_qa.answering.query.kinds import asked_topic
from rag_qa.answering.query.names import is_named
from rag_qa.text.body import body_sentences
from rag_qa.types import Citation, MetadataField, Paper, Query, Sentence, Verdict

# Of more authors than MAX_NAMES (collaborations have up to thousands) only the first are named.
MAX_NAMES, FIRST_NAMES = 20, 10
NEWEST_FIRST = re.compile(r"\b(?:newer|newest|latest|recent)\b", re.IGNORECASE)
FROM_METADATA = Verdict(
    label="supported", probability=1.0, reasons=("taken from the index's metadata, not from the abstract",)
)


def papers_asked_about(query: Query, papers: Sequence[Paper]) -> list[Paper]:
    """Return the papers whose metadata answer the question, in order; [] if only abstracts can answer it.

    These are the papers that the question is restricted to, or else the one that it names by short name or title.
    If the year is asked for, the oldest comes first, or the newest if the question says so.
    """
    within = query.within
    if within is None:
        return [paper for paper in papers if is_named(asked_topic(query.topic), paper)][:1]
    found = sorted(papers, key=lambda paper: within.index(paper.id) if paper.id in within else len(within))
    if "year" in query.wanted:
        sign = -1 if NEWEST_FIRST.search(query.text) else 1
        found.sort(key=lambda paper: (paper.year is None, sign * (paper.year or 0)))
    return found


def metadata_sentence(paper: Paper, asks: Sequence[MetadataField]) -> Sentence:
    """Return a sentence with the fields asked for; it names its source and cites the first sentence of the abstract.

    A field that the index does not hold is named as missing.
    """
    in_year = f" ({paper.year})" if paper.year else ""
    known = {
        "authors": f"written by {_listed(paper.authors, more=paper.more_authors)}{in_year}"
        if paper.authors
        else None,
        "year": f"published in {paper.year}" if paper.year else None,
        "venue": f"published in {paper.venue}" if paper.venue else None,
    }
    said = "; ".join(known[field] or f"the index names no {field}" for field in asks)
    source = ", according to the index's metadata" if any(known[field] for field in asks) else ""
    start, end = body_sentences(paper.abstract)[0]
    return Sentence(
        text=f"{said[:1].upper()}{said[1:]}{source}.",
        kind="metadata",
        citations=(Citation(paper_id=paper.id, quote=paper.abstract[start:end], start=start, end=end),),
        verdict=FROM_METADATA,
    )


def _listed(names: Sequence[str], *, more: bool) -> str:
    """Return the names as text: "A, B and C", "A, B et al.", or "A, B and 2,990 others"."""
    if len(names) > MAX_NAMES:
        return f"{', '.join(names[:FIRST_NAMES])} and {len(names) - FIRST_NAMES:,} others"
    if more:
        return f"{', '.join(names)} et al."
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
