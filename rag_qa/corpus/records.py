"""One record (a mapping of field names to values) → a Paper, or the reason why it is skipped.

Field names are matched without regard to case, spaces and punctuation, under all the names in fields.py.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rag_qa.corpus.authors import leaves_out, read_authors
from rag_qa.corpus.cleaning import clean_abstract, clean_field, clean_text, is_soup
from rag_qa.corpus.fields import NOT_VENUES, plain_name
from rag_qa.corpus.ids import (
    arxiv_form,
    doi_form,
    labelled_pmid,
    normalise_arxiv_id,
    normalise_doi,
    normalise_pmid,
    stable_id,
)
from rag_qa.corpus.limits import DEFAULT, Limits, OverLimit, check_authors, check_record
from rag_qa.corpus.lookup import EMPTY, Fields, Record, members, text_of
from rag_qa.corpus.status import read_status
from rag_qa.corpus.years import read_year
from rag_qa.types import Paper, Source

MAX_ID = 200
ARXIV_ADDRESSES = ("arxiv:", "http://arxiv.org/", "https://arxiv.org/", "oai:arxiv.org:")


class Broken(NamedTuple):
    """A record that could not be parsed, and why."""

    reason: str


def read_record(fields: Fields, path: str, number: int, limits: Limits = DEFAULT) -> Paper | str:
    """Return the paper that a record describes, or the reason why it is skipped.

    Args:
        fields: the record as its reader gives it, names as in the source.
        path: the file.
        number: the record's number in the file, from 1.
        limits: a larger record is skipped.
    """
    try:
        large = check_record(fields, limits)
        return _read(fields, Source(path=path, record=number), limits if large else None)
    except OverLimit as exc:
        return str(exc)


def _read(fields: Fields, source: Source, limits: Limits | None) -> Paper | str:
    known = {plain_name(str(name)): value for name, value in fields.items() if value is not None}
    record = Record.of(known, limits)
    abstract = _abstract(record)
    if abstract is None:
        return _no_text(known)
    cleaned = clean_abstract(abstract)
    if not cleaned:
        return "no abstract"
    if is_soup(abstract, cleaned):
        return "the abstract is not readable text: save the file as UTF-8 and index it again"
    title = record.text("title")
    if not title and known.get("title") not in EMPTY:
        return f"the title is of type {type(known['title']).__name__}, not text"
    return _paper(record, clean_field(title), cleaned, source)


def _paper(record: Record, title: str, abstract: str, source: Source) -> Paper:
    url, own = _url(record), record.text("id")
    doi, arxiv_id = _doi(record, own, url), _arxiv_id(record, own, url)
    ids = [_own_id(record, own), arxiv_form(arxiv_id) if arxiv_id else "", doi_form(doi) if doi else ""]
    given = list(dict.fromkeys(known_id for known_id in ids if known_id)) or [stable_id(title, abstract)]
    kind, venue = record.known.get("kind"), _venue(record)
    authors, more_authors = _authors(record)
    return Paper(
        id=given[0],
        title=title,
        abstract=abstract,
        authors=authors,
        more_authors=more_authors,
        venue=venue,
        year=_year(record),
        url=url,
        doi=doi,
        arxiv_id=arxiv_id,
        pmid=_pmid(record, url),
        status=read_status(record.known, title, abstract=abstract, venue=venue, doi=doi, arxiv_id=arxiv_id),
        kind=kind if kind in ("synopsis", "pdf") else "abstract",
        aliases=tuple(given[1:]),
        sources=(source,),
    )


def _abstract(record: Record) -> str | None:
    """Return the abstract. A list holds its paragraphs, sections or translations; each distinct one is kept."""
    for value in record.values("abstract"):
        texts = [text for item in members(value) if (text := text_of(item))]
        # arXiv's Dublin Core has a comment on the paper as a second description.
        texts = [text for text in texts if not text.startswith("Comment: ")] if len(texts) > 1 else texts
        if texts:
            return texts[0] if len(texts) == 1 else " ".join(dict.fromkeys(texts))
    return None


def _no_text(known: Fields) -> str:
    wrong = known.get("abstract")
    return "no abstract" if wrong in EMPTY else f"the abstract is of type {type(wrong).__name__}, not text"


def _authors(record: Record) -> tuple[tuple[str, ...], bool]:
    """Return the authors, then groups from fields of their own, and whether the list leaves some out."""
    people, more = next(
        ((names, leaves_out(value)) for value in record.values("authors") if (names := read_authors(value))),
        ((), False),
    )
    if record.limits:
        check_authors(people, record.limits)
    if "groups" not in record.plan:
        return people, more
    texts = (text_of(item) for value in record.values("groups") for item in members(value))
    groups = (clean_field(text) for text in texts if text)
    return tuple(dict.fromkeys((*people, *(group for group in groups if group)))), more


def _venue(record: Record) -> str | None:
    for text in record.texts("venue"):
        venue = clean_field(text)
        if venue and plain_name(venue) not in NOT_VENUES:
            return venue
    return None


def _own_id(record: Record, own: str) -> str:
    """Return the id that the source gives, in our form if it is an arXiv id or a DOI."""
    text = clean_text(own)[:MAX_ID]
    folded = text.casefold()
    if "arxiv" in folded or _is_arxiv_dump(record):
        arxiv_id = normalise_arxiv_id(text)
        return arxiv_form(arxiv_id) if arxiv_id else text
    doi = normalise_doi(text) if folded.startswith(("10.", "doi:", "http")) else None
    return doi_form(doi) if doi else text


def _is_arxiv_dump(record: Record) -> bool:
    return "authorsparsed" in record.known and "updatedate" in record.known


def _doi(record: Record, own: str, url: str | None) -> str | None:
    candidates = [text_of(value) for value in record.values("doi")] if "doi" in record.plan else []
    if url and "doi.org/" in url:
        candidates.append(url)
    if own.casefold().startswith(("doi:", "10.")) or "doi.org/" in own:
        candidates.append(own)
    return _first(normalise_doi, candidates)


def _arxiv_id(record: Record, own: str, url: str | None) -> str | None:
    candidates = [*record.texts("arxiv")]
    if url and "arxiv.org/" in url:
        candidates.append(url)
    if own.casefold().startswith(ARXIV_ADDRESSES) or _is_arxiv_dump(record):
        candidates.append(own)
    if "arxiv:" in (venue := record.text("venue")).casefold():
        candidates.append(venue)
    if "10.48550/arxiv." in (doi := record.text("doi").casefold()):
        candidates.append(doi.split("arxiv.", 1)[1])
    candidates += [text for text in record.texts("remarks") if "arxiv:" in text.casefold()]
    return _first(normalise_arxiv_id, candidates)


def _pmid(record: Record, url: str | None) -> str | None:
    """Return the PubMed id: from its own field, an address, PubMed's accession number, or a remark."""
    candidates = [*record.texts("pmid"), url if url and "pubmed" in url else ""]
    if "accession" in record.plan and re.search("pubmed|medline|nlm", record.text("database"), re.IGNORECASE):
        candidates += record.texts("accession")
    pmid = _first(normalise_pmid, candidates)
    if pmid or "remarks" not in record.plan:
        return pmid
    return _first(labelled_pmid, [text_of(value) for value in record.values("remarks")])


def _url(record: Record) -> str | None:
    """Return the first http(s) address. Other schemes (javascript:, file:) would become links in a browser."""
    for value in record.values("url"):
        for item in members(value):
            url = clean_text(text_of(item) or "")
            if url.startswith(("http://", "https://")) and " " not in url:
                return url
    return None


def _year(record: Record) -> int | None:
    versions = record.known.get("versions")
    if isinstance(versions, list) and versions and isinstance(versions[0], Mapping):
        first = read_year(versions[0].get("created"))
        if first:
            return first
    for value in record.values("year"):
        if year := read_year(value):
            return year
    return None


def _first(read: Callable[[str], str | None], texts: Sequence[str | None]) -> str | None:
    """Return the first id that `read` finds in one of the texts."""
    for text in texts:
        if text and (found := read(text)):
            return found
    return None
