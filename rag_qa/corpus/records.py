"""One record of any format, a mapping of field names to values → a Paper, or the reason why not.

Field names are matched kindly, without regard to case, blanks and marks, under all the names of fields.py.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from rag_qa.corpus.authors import read_authors
from rag_qa.corpus.cleaning import clean_abstract, clean_text, is_soup
from rag_qa.corpus.fields import NAMES, NOT_VENUES, plain_name
from rag_qa.corpus.ids import (
    arxiv_form,
    doi_form,
    labelled_pmid,
    normalise_arxiv_id,
    normalise_doi,
    normalise_pmid,
    stable_id,
)
from rag_qa.corpus.literals import read_literal
from rag_qa.corpus.years import read_year
from rag_qa.types import Paper, Source

MAX_ID = 200
# The keys under which a nested value holds its text.
TEXT_KEYS = ("value", "name", "raw", "text", "description", "p", "title", "displayname", "#text", "$")
EMPTY: tuple[Any, ...] = (None, "", [], {})

Fields = Mapping[str, Any]
Path = tuple[str, ...]


class Broken(NamedTuple):
    """A record that could not be parsed, and why."""

    reason: str


def read_record(fields: Fields, path: str, number: int) -> Paper | str:
    """Return the paper that a record describes, or the reason for which it is skipped."""
    known = {plain_name(str(name)): value for name, value in fields.items() if value is not None}
    abstract = _abstract(known)
    if abstract is None:
        return _no_text(known)
    cleaned = clean_abstract(abstract)
    if not cleaned:
        return "no abstract"
    if is_soup(abstract, cleaned):
        return "the abstract is not readable text"
    title = _first_text(known, "title")
    if title is None and known.get("title") not in EMPTY:
        return f"the title is of type {type(known['title']).__name__}, not text"
    return _paper(known, clean_text(title or ""), cleaned, Source(path=path, record=number))


def _paper(known: Fields, title: str, abstract: str, source: Source) -> Paper:
    url = _url(known)
    doi, arxiv_id = _doi(known, url), _arxiv_id(known, url)
    ids = [_own_id(known), arxiv_form(arxiv_id) if arxiv_id else "", doi_form(doi) if doi else ""]
    given = list(dict.fromkeys(known_id for known_id in ids if known_id)) or [stable_id(title, abstract)]
    return Paper(
        id=given[0],
        title=title,
        abstract=abstract,
        authors=_authors(known),
        venue=_venue(known),
        year=_year(known),
        url=url,
        doi=doi,
        arxiv_id=arxiv_id,
        pmid=_pmid(known, url),
        kind=known["kind"] if known.get("kind") in ("synopsis", "pdf") else "abstract",
        aliases=tuple(given[1:]),
        sources=(source,),
    )


def _ranks() -> dict[str, list[tuple[str, int, Path]]]:
    """Return for each name that a field may have what it may hold, how much it is preferred, and the path into it.

    Tables that were flattened join the steps of a path ("authorships.author.display_name"), so that counts as well.
    """
    ranks: dict[str, list[tuple[str, int, Path]]] = {}
    for role, names in NAMES.items():
        for rank, name in enumerate(names):
            head, *steps = name.split(".")
            ranks.setdefault(head, []).append((role, rank, tuple(steps)))
            if steps:
                ranks.setdefault(name.replace(".", ""), []).append((role, rank, ()))
    return ranks


_RANKS = _ranks()
TITLE_NAMES = frozenset(name for name in NAMES["title"] if "." not in name and name != "displayname")
ABSTRACT_NAMES = frozenset(name for name in NAMES["abstract"] if "." not in name)


@lru_cache(maxsize=4096)
def _plan(names: tuple[str, ...]) -> Mapping[str, list[tuple[str, Path]]]:
    """Return where a record with these fields keeps each thing, best first; records of a file share their fields."""
    found: dict[str, list[tuple[int, str, Path]]] = {}
    for name in names:
        for role, rank, steps in _RANKS.get(name, ()):
            found.setdefault(role, []).append((rank, name, steps))
    return {role: [(name, steps) for _, name, steps in sorted(places)] for role, places in found.items()}


def _values(known: Fields, role: str) -> Iterator[Any]:
    """Yield what a record holds of one thing, best first, without what is empty."""
    for name, steps in _plan(tuple(known)).get(role, ()):
        value = _descend(known[name], steps) if steps else known[name]
        if value not in EMPTY:
            yield value


def _descend(value: Any, steps: Path) -> Any:
    """Return what lies at the end of a path into nested values; of a list what lies there in each member."""
    for n, step in enumerate(steps):
        if isinstance(value, list | tuple):
            if step != "0":
                found = [_descend(item, steps[n:]) for item in value]
                return [item for item in found if item not in EMPTY]
            value = value[0] if value else None
        elif isinstance(value, Mapping):
            value = next((member for name, member in value.items() if plain_name(str(name)) == step), None)
        else:
            return None
    return value


def _texts(known: Fields, role: str) -> Iterator[str]:
    """Yield what a record says of one thing as text, of lists the first member (of titles, translations follow)."""
    for value in _values(known, role):
        text = next((text for item in _members(value) if (text := _text(item))), None)
        if text:
            yield text


def _first_text(known: Fields, role: str) -> str | None:
    return next(_texts(known, role), None)


def _abstract(known: Fields) -> str | None:
    """Return the whole abstract: paragraphs, sections and translations in a list all belong to it, each once."""
    for value in _values(known, "abstract"):
        texts = [text for item in _members(value) if (text := _text(item))]
        if texts:
            return texts[0] if len(texts) == 1 else " ".join(dict.fromkeys(texts))
    return None


def _members(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = read_literal(value)
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str | None:
    """Return a value as text: a string, a number, texts in a list, or these under one of TEXT_KEYS."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return str(value) if value == value and abs(value) < 1e15 else None
    if isinstance(value, list):
        return (
            " ".join(text for item in value if isinstance(item, str | Mapping) and (text := _text(item)))
            or None
        )
    if isinstance(value, Mapping):
        return next((text for key in TEXT_KEYS if (text := _text(value.get(key)))), None) or _in_order(value)
    return None


def _in_order(index: Mapping[str, Any]) -> str | None:
    """Return the text that an inverted index (word → positions, as OpenAlex gives it) was made from, else None."""
    if not all(isinstance(places, list) for places in index.values()):
        return None
    placed = [(place, word) for word, places in index.items() for place in places if isinstance(place, int)]
    return " ".join(word for _, word in sorted(placed)) or None


def _no_text(known: Fields) -> str:
    wrong = known.get("abstract")
    return "no abstract" if wrong in EMPTY else f"the abstract is of type {type(wrong).__name__}, not text"


def _authors(known: Fields) -> tuple[str, ...]:
    """Return the authors, and after them the groups that a source keeps in a field of their own."""
    people = next((names for value in _values(known, "authors") if (names := read_authors(value))), ())
    groups = [
        clean_text(text)
        for value in _values(known, "groups")
        for item in _members(value)
        if (text := _text(item))
    ]
    return tuple(dict.fromkeys((*people, *(group for group in groups if group)))) if groups else people


def _venue(known: Fields) -> str | None:
    venues = (clean_text(text) for text in _texts(known, "venue"))
    return next((venue for venue in venues if venue and plain_name(venue) not in NOT_VENUES), None)


def _own_id(known: Fields) -> str:
    """Return the id that the source gives; one that is an arXiv id or a DOI in the form of these."""
    text = clean_text(_first_text(known, "id") or "")[:MAX_ID]
    if "arxiv" in text.casefold() or _is_arxiv_dump(known):
        arxiv_id = normalise_arxiv_id(text)
        return arxiv_form(arxiv_id) if arxiv_id else text
    doi = normalise_doi(text) if text.casefold().startswith(("10.", "doi:", "http")) else None
    return doi_form(doi) if doi else text


def _is_arxiv_dump(known: Fields) -> bool:
    return "authorsparsed" in known and "updatedate" in known


def _doi(known: Fields, url: str | None) -> str | None:
    found = (
        doi for value in _values(known, "doi") if (text := _text(value)) and (doi := normalise_doi(text))
    )
    doi = next(found, None) or (normalise_doi(url) if url and "doi.org/" in url else None)
    return doi or normalise_doi(_prefixed(known, ("doi:", "10.", "https://doi.org/", "http://dx.doi.org/")))


def _pmid(known: Fields, url: str | None) -> str | None:
    found = (pmid for text in _texts(known, "pmid") if (pmid := normalise_pmid(text)))
    pmid = next(found, None) or (normalise_pmid(url) if url and "pubmed" in url else None)
    remarks = (
        pmid
        for value in _values(known, "remarks")
        if (text := _text(value)) and (pmid := labelled_pmid(text))
    )
    return pmid or next(remarks, None)


def _arxiv_id(known: Fields, url: str | None) -> str | None:
    venue = _first_text(known, "venue") or ""
    doi = _first_text(known, "doi") or ""
    candidates = (
        *_texts(known, "arxiv"),
        url if url and "arxiv.org/" in url else None,
        _prefixed(known, ("arxiv:", "http://arxiv.org/", "https://arxiv.org/", "oai:arxiv.org:")),
        _first_text(known, "id") if _is_arxiv_dump(known) else None,
        venue if "arxiv:" in venue.casefold() else None,
        doi.casefold().split("arxiv.", 1)[1] if "10.48550/arxiv." in doi.casefold() else None,
        *(text for value in _values(known, "remarks") if "arxiv:" in (text := _text(value) or "").casefold()),
    )
    return next((found for text in candidates if text and (found := normalise_arxiv_id(text))), None)


def _prefixed(known: Fields, prefixes: tuple[str, ...]) -> str:
    text = _first_text(known, "id") or ""
    return text if text.casefold().startswith(prefixes) else ""


def _url(known: Fields) -> str | None:
    """Return the first web address. Other schemes (javascript:, file:) would become links in a browser."""
    urls = (
        clean_text(text)
        for value in _values(known, "url")
        for item in _members(value)
        if (text := _text(item))
    )
    return next((url for url in urls if url.startswith(("http://", "https://")) and " " not in url), None)


def _year(known: Fields) -> int | None:
    versions = known.get("versions")
    if isinstance(versions, list) and versions and isinstance(versions[0], Mapping):
        first = read_year(versions[0].get("created"))
        if first:
            return first
    return next((year for value in _values(known, "year") if (year := read_year(value))), None)
