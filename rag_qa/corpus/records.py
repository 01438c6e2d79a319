"""One record of any format, a mapping of field names to values → a Paper, or the reason why not.

Field names are matched kindly: without regard to case, blanks, `-` and `_`, and under the names that common
tools write (Zotero, Crossref, Semantic Scholar, OpenReview, arXiv, BEIR).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from rag_qa.corpus.cleaning import clean_abstract, clean_field, clean_text, is_soup
from rag_qa.corpus.ids import arxiv_form, doi_form, normalise_arxiv_id, normalise_doi, stable_id
from rag_qa.corpus.names import read_authors
from rag_qa.corpus.years import read_year
from rag_qa.types import Paper, Source

ABSTRACT = (
    "abstract",
    "summary",
    "abstracttext",
    "abstractnote",
    "paperabstract",
    "text",
    "synopsis",
    "n2",
    "ab",
)
TITLE = ("title", "papertitle", "displayname", "ti", "t1")
AUTHORS = ("authors", "author", "authorsparsed", "creators", "creator", "authorlist", "firstauthors", "au")
YEAR = (
    "year",
    "published",
    "publicationyear",
    "pubyear",
    "publicationdate",
    "issued",
    "date",
    "updatedate",
    "py",
)
VENUE = (
    "venue",
    "journal",
    "booktitle",
    "journalref",
    "containertitle",
    "journaltitle",
    "journalname",
    "conference",
)
URL = ("url", "link", "urls", "paperurl", "openurl", "alternateurl")
DOI = ("doi",)
ARXIV = ("arxiv", "arxivid", "eprint")
ID = ("id", "paperid", "docid", "corpusid", "pmid", "uid", "key", "citationkey")
MAX_ID = 200

Fields = Mapping[str, Any]


class Broken(NamedTuple):
    """A record that could not be parsed, and why."""

    reason: str


def read_record(fields: Fields, path: str, number: int) -> Paper | str:
    """Return the paper that a record describes, or the reason for which it is skipped."""
    known = {plain_name(str(name)): value for name, value in fields.items() if value is not None}
    abstract = _first_text(known, ABSTRACT)
    if abstract is None:
        return _no_text(known)
    cleaned = clean_abstract(abstract)
    if not cleaned:
        return "no abstract"
    if is_soup(abstract, cleaned):
        return "the abstract is not readable text: save the file as UTF-8 and index it again"
    title = _first_text(known, TITLE)
    if title is None and _first(known, TITLE) is not None:
        return f"the title is of type {type(_first(known, TITLE)).__name__}, not text"
    return _paper(known, clean_field(title or ""), cleaned, Source(path=path, record=number))


def _paper(known: Fields, title: str, abstract: str, source: Source) -> Paper:
    url = _url(known)
    doi, arxiv_id = _doi(known, url), _arxiv_id(known, url)
    ids = [_own_id(known), arxiv_form(arxiv_id) if arxiv_id else "", doi_form(doi) if doi else ""]
    given = list(dict.fromkeys(known_id for known_id in ids if known_id)) or [stable_id(title, abstract)]
    return Paper(
        id=given[0],
        title=title,
        abstract=abstract,
        authors=read_authors(_first(known, AUTHORS)),
        venue=clean_field(_first_text(known, VENUE) or "") or None,
        year=_year(known),
        url=url,
        doi=doi,
        arxiv_id=arxiv_id,
        kind="synopsis" if known.get("kind") == "synopsis" else "abstract",
        aliases=tuple(given[1:]),
        sources=(source,),
    )


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a field name without case, blanks and marks, as the tables above spell them."""
    return "".join(c for c in name.casefold() if c.isalnum())


def _first(known: Fields, names: tuple[str, ...]) -> Any:
    """Return the first value that is there and not empty."""
    return next((known[name] for name in names if known.get(name) not in (None, "", [], {})), None)


def _first_text(known: Fields, names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := _text(known.get(name)))), None)


def _text(value: Any) -> str | None:
    """Return a value as text: a string, a number, strings in a list, or these under `value` or `name`."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return str(value) if value == value and abs(value) < 1e15 else None
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value) or None
    if isinstance(value, Mapping):
        return next((text for key in ("value", "name", "raw") if (text := _text(value.get(key)))), None)
    return None


def _no_text(known: Fields) -> str:
    wrong = _first(known, ABSTRACT)
    return "no abstract" if wrong is None else f"the abstract is of type {type(wrong).__name__}, not text"


def _own_id(known: Fields) -> str:
    """Return the id that the source gives; one that is an arXiv id or a DOI in the form of these."""
    text = clean_text(_first_text(known, ID) or "")[:MAX_ID]
    if "arxiv" in text.casefold() or {"authorsparsed", "updatedate"} <= known.keys():
        arxiv_id = normalise_arxiv_id(text)
        return arxiv_form(arxiv_id) if arxiv_id else text
    doi = normalise_doi(text) if text.casefold().startswith(("10.", "doi:", "http")) else None
    return doi_form(doi) if doi else text


def _external(known: Fields, name: str) -> str | None:
    """Return an id from Semantic Scholar's `externalIds`."""
    ids = known.get("externalids")
    return _text(ids.get(name)) if isinstance(ids, Mapping) else None


def _doi(known: Fields, url: str | None) -> str | None:
    candidates = (
        _first_text(known, DOI),
        _external(known, "DOI"),
        url if url and "doi.org/" in url else None,
    )
    doi = next((found for text in candidates if text and (found := normalise_doi(text))), None)
    return doi or normalise_doi(_prefixed(known, ("doi:", "10.")))


def _arxiv_id(known: Fields, url: str | None) -> str | None:
    venue = _first_text(known, VENUE) or ""
    candidates = (
        _first_text(known, ARXIV),
        _external(known, "ArXiv"),
        url if url and "arxiv.org/" in url else None,
        _prefixed(known, ("arxiv:", "http://arxiv.org/", "https://arxiv.org/")),
        _first_text(known, ID) if {"authorsparsed", "updatedate"} <= known.keys() else None,
        venue if "arxiv:" in venue.casefold() else None,
        doi.split("arxiv.", 1)[1]
        if "10.48550/arxiv." in (doi := _first_text(known, DOI) or "").casefold()
        else None,
    )
    return next((found for text in candidates if text and (found := normalise_arxiv_id(text))), None)


def _prefixed(known: Fields, prefixes: tuple[str, ...]) -> str:
    text = _first_text(known, ID) or ""
    return text if text.casefold().startswith(prefixes) else ""


def _url(known: Fields) -> str | None:
    value = _first(known, URL)
    text = _text(value[0] if isinstance(value, list) and value else value) or ""
    url = clean_text(text)
    # Other schemes (javascript:, file:) would become links in a browser or a terminal.
    return url if url.startswith(("http://", "https://")) and " " not in url else None


def _year(known: Fields) -> int | None:
    versions = known.get("versions")
    if isinstance(versions, list) and versions and isinstance(versions[0], Mapping):
        first = read_year(versions[0].get("created"))
        if first:
            return first
    return next((year for name in YEAR if (year := read_year(known.get(name)))), None)
