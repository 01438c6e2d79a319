"""Who wrote a paper, when and where it was published: asked in words, and told from the index's metadata."""

import re
from collections.abc import Sequence
from functools import cache

from rag_qa.answering.query.names import is_named
from rag_qa.text.sentences import split_sentences
from rag_qa.text.words import content_terms, topic_terms
from rag_qa.types import Citation, MetadataField, Paper, Query, Sentence, Verdict

OUT = r"(?:publi\w+|appear\w*|come|came|presented|released|printed|written|out)"
ASKED: dict[MetadataField, re.Pattern[str]] = {
    "authors": re.compile(
        r"\bauthors?\b|\bby\s+who(?:m|se)?\b|\bwhose\b"
        r"|\bwho(?:[’']s|\s+(?:is|are|was|were))?\s+(?:\w+\s+)?(?:by|behind)\b"
        r"|\bwho\s+(?:has\s+)?(?:wrote|written|authored|made|created|did|proposed|introduced|developed|published)\b",
        re.IGNORECASE,
    ),
    "year": re.compile(
        rf"\b(?:year|date)\b|\bwhen\b(?:.*\b{OUT}\b|(?=\W*$))|\b{OUT}\b.*\bwhen\b|\bhow\s+(?:old|recent|new)\b"
        r"|\b(?:older|oldest|newer|newest|latest|earliest|(?:more|most)\s+recent|came\s+first)\b",
        re.IGNORECASE,
    ),
    "venue": re.compile(
        rf"\b(?:venue|journal|conference)\b|\bwhere\b.*\b{OUT}\b|\b{OUT}\b.*\bwhere\b", re.IGNORECASE
    ),
}
YOU = re.compile(r"\byou\b", re.IGNORECASE)
NEWEST_FIRST = re.compile(r"\b(?:newer|newest|latest|recent)\b", re.IGNORECASE)
# What may stand in a question on metadata beside its papers; any other word makes it a question on content.
SAYING = """
    author authors write wrote written publish published appear appeared come came out date year venue journal
    conference work idea paper study first last made created proposed introduced developed authored old older oldest
    new newer newest latest earliest early recent behind name names full presented printed released
"""
FROM_METADATA = Verdict(
    label="supported", probability=1.0, reasons=("taken from the index's metadata, not from the abstract",)
)


def asked_fields(question: str) -> tuple[MetadataField, ...]:
    """Return what of a paper's metadata a question asks for."""
    if YOU.search(question):
        return ()
    return tuple(field for field, pattern in ASKED.items() if pattern.search(question))


def says_only_metadata(question: str) -> bool:
    """Return whether a question, without its references to papers, has no content but metadata."""
    return set(topic_terms(question)) <= _saying()


def without_metadata_words(question: str) -> str:
    """Return the question's words that do not ask for metadata."""
    return " ".join(
        word for word in re.findall(r"[\w-]+", question) if not set(content_terms(word)) & _saying()
    )


def told_by_metadata(query: Query, papers: Sequence[Paper]) -> list[Paper]:
    """Return the papers whose metadata answer the question, in the order to tell them; none where content must.

    They are those that the question is restricted to; else the one that it names by nickname or title. A question
    for the year has them by year: the oldest first, or the newest where that is asked for.
    """
    within = query.within
    if within is None:
        rest = without_metadata_words(query.topic)
        return [paper for paper in papers if is_named(rest, paper)][:1]
    told = sorted(papers, key=lambda paper: within.index(paper.id) if paper.id in within else len(within))
    if "year" in query.wanted:
        sign = -1 if NEWEST_FIRST.search(query.text) else 1
        told.sort(key=lambda paper: (paper.year is None, sign * (paper.year or 0)))
    return told


def tell(paper: Paper, asks: Sequence[MetadataField]) -> Sentence:
    """Return a sentence on the paper's metadata that says where it is from and cites the abstract's opening.

    What the index does not hold is said to be missing.
    """
    in_year = f" ({paper.year})" if paper.year else ""
    known = {
        "authors": f"written by {_listed(paper.authors)}{in_year}" if paper.authors else None,
        "year": f"published in {paper.year}" if paper.year else None,
        "venue": f"published in {paper.venue}" if paper.venue else None,
    }
    said = "; ".join(known[field] or f"the index names no {field}" for field in asks)
    source = ", according to the index's metadata" if any(known[field] for field in asks) else ""
    start, end = split_sentences(paper.abstract)[0]
    return Sentence(
        text=f"{said[:1].upper()}{said[1:]}{source}.",
        kind="metadata",
        citations=(Citation(paper_id=paper.id, quote=paper.abstract[start:end], start=start, end=end),),
        verdict=FROM_METADATA,
    )


def _listed(names: Sequence[str]) -> str:
    """Return names as a list in words: "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@cache
def _saying() -> frozenset[str]:
    return frozenset(content_terms(SAYING))
