"""The records of one paper → one paper that keeps every source, variant, alias and author."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rag_qa.corpus.ids import id_rank, normalise_text, stable_id
from rag_qa.corpus.preprints import is_preprint_doi, is_preprint_venue
from rag_qa.corpus.status import gravest, without_marks
from rag_qa.types import Paper, PaperStatus, Source, Version

T = TypeVar("T")
# Standing of a record as a source of metadata.
PUBLISHED, PREPRINT, UNPLACED = range(3)


def combine_papers(papers: Sequence[Paper]) -> Paper:
    """Return one paper for records of the same paper; their order does not matter.

    A real abstract is preferred to a synopsis, and a longer one to a shorter. Title, venue, year and DOI come from one
    record, a published one if there is one; records that agree with it fill its gaps. What the other records say is
    kept as versions, and the gravest status is kept.
    """
    if len(papers) == 1:
        return papers[0]
    best = min(papers, key=_rank)
    known = sorted(papers, key=_order)
    lead = known[0]
    agreeing = [paper for paper in known if _agrees(paper, lead)]
    ids = sorted({name for paper in papers for name in (paper.id, *paper.aliases)}, key=_id_order)
    combined = best.model_copy(
        update={
            "id": ids[0],
            "aliases": tuple(ids[1:]),
            "title": _title(known),
            "authors": _merge_authors(papers),
            "more_authors": min((-len(paper.authors), paper.more_authors) for paper in papers)[1],
            "venue": _first(agreeing, lambda paper: paper.venue),
            "year": _first(agreeing, lambda paper: paper.year),
            "url": _first(known, lambda paper: paper.url),
            "doi": _first(agreeing, lambda paper: paper.doi),
            "arxiv_id": _first(known, lambda paper: paper.arxiv_id),
            "pmid": _first(known, lambda paper: paper.pmid),
            "status": _status(known),
            "versions": (),
            "sources": _merge_sources(papers, best.abstract),
        }
    )
    return combined.model_copy(update={"versions": _versions(papers, combined)})


def _order(paper: Paper) -> tuple[object, ...]:
    """Return a sort key for records as sources of metadata: published first, then preprints, then unknown.

    Among equals a title with a mark such as "RETRACTED:" comes first, then the record with most fields.
    """
    said = sum(value is not None for value in (paper.venue, paper.year, paper.doi))
    return _standing(paper), without_marks(paper.title) == paper.title, not paper.title, -said, *_rank(paper)


def _standing(paper: Paper) -> int:
    if paper.status == "preprint":
        return PREPRINT
    published = paper.doi and not is_preprint_doi(paper.doi)
    placed = paper.venue and not is_preprint_venue(paper.venue)
    if published or placed or paper.pmid:
        return PUBLISHED
    return PREPRINT if paper.doi or paper.venue or paper.arxiv_id else UNPLACED


def _agrees(paper: Paper, lead: Paper) -> bool:
    """Return whether a record may fill gaps of the leading one: of the same standing or unknown, and no difference."""
    if _standing(paper) not in (_standing(lead), UNPLACED):
        return False
    pairs = (
        (_plain(paper.venue), _plain(lead.venue)),
        (paper.year, lead.year),
        (paper.doi, lead.doi),
    )
    return all(not mine or not leading or mine == leading for mine, leading in pairs)


def _title(known: Sequence[Paper]) -> str:
    """Return the first title, with the mark ("RETRACTED:") that another record has on the same title."""
    title = _first(known, lambda paper: paper.title) or ""
    bare = _plain(without_marks(title))
    same = (paper.title for paper in known if _plain(without_marks(paper.title)) == bare)
    return next((marked for marked in same if without_marks(marked) != marked), title)


def _status(known: Sequence[Paper]) -> PaperStatus | None:
    """Return the gravest status; "preprint" only if no record is published."""
    found = {paper.status for paper in known if paper.status}
    return gravest(found - {"preprint"}) or known[0].status


def _versions(papers: Sequence[Paper], combined: Paper) -> tuple[Version, ...]:
    """Return the versions that differ from the combined paper."""
    known = {_as_version(paper) for paper in papers} | {v for paper in papers for v in paper.versions}
    return tuple(sorted((v for v in known if _differs(v, combined)), key=lambda v: v.model_dump_json()))


def _as_version(paper: Paper) -> Version:
    return Version(**{name: getattr(paper, name) for name in Version.model_fields})


def _differs(version: Version, paper: Paper) -> bool:
    pairs = (
        (_plain(without_marks(version.title)), _plain(without_marks(paper.title))),
        (_plain(version.venue), _plain(paper.venue)),
        (version.year, paper.year),
        (version.doi, paper.doi),
        (version.arxiv_id, paper.arxiv_id),
        (version.pmid, paper.pmid),
    )
    return any(said and said != shown for said, shown in pairs)


def _plain(text: str | None) -> str:
    return normalise_text(text) if text else ""


def settle_ids(papers: Iterable[Paper]) -> list[Paper]:
    """Return the papers sorted by id, with every id used by one paper only.

    An id that sources gave to different papers (two files that both count from 1) is dropped: each of these papers gets
    its next alias as its id, or else the hash of its text.
    """
    papers = list(papers)
    uses = Counter(name for paper in papers for name in {paper.id, *paper.aliases})
    return sorted((_settle(paper, uses) for paper in papers), key=lambda paper: paper.id)


def _settle(paper: Paper, uses: Counter[str]) -> Paper:
    names = (paper.id, *paper.aliases)
    own = [name for name in names if uses[name] == 1]
    if len(own) == len(names):
        return paper
    own = own or [stable_id(paper.title, paper.abstract)]
    return paper.model_copy(update={"id": own[0], "aliases": tuple(own[1:])})


def _rank(paper: Paper) -> tuple[object, ...]:
    record = [(source.path, source.record) for source in paper.sources]
    return (
        paper.kind != "abstract",
        -len(paper.abstract),
        paper.abstract,
        not paper.title,
        paper.title,
        record,
    )


def _id_order(name: str) -> tuple[int, str]:
    return id_rank(name), name


def _first(ranked: Sequence[Paper], field: Callable[[Paper], T | None]) -> T | None:
    return next((value for paper in ranked if (value := field(paper))), None)


def _merge_authors(papers: Sequence[Paper]) -> tuple[str, ...]:
    """Return the longest list, then names that only other lists have (author pages know just one author)."""
    lists = sorted({paper.authors for paper in papers}, key=lambda names: (-len(names), names))
    merged: dict[str, str] = {}
    for names in lists:
        for name in names:
            merged.setdefault(_author_key(name), name)
    return tuple(merged.values())


def _author_key(name: str) -> str:
    """Return last name and first initial: "J. Smith" and "John Smith" are one author of a paper."""
    words = normalise_text(name).split() or [name]
    return f"{words[-1]} {words[0][0]}"


def _merge_sources(papers: Sequence[Paper], abstract: str) -> tuple[Source, ...]:
    texts = {
        (source.path, source.record): source.variant or paper.abstract
        for paper in sorted(papers, key=_rank)
        for source in paper.sources
    }
    return tuple(
        Source(path=path, record=record, variant=None if text == abstract else text)
        for (path, record), text in sorted(texts.items())
    )
