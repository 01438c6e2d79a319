"""Papers → RIS, as EndNote, Zotero, Mendeley and others read it: a tag and a value on each line.

RIS cannot mark a group: readers may take a group with a comma or "and" in its name for people.
"""

from collections.abc import Iterator, Sequence

from rag_qa.exports.one_line import one_line
from rag_qa.exports.people import OTHERS, family_first, read_person
from rag_qa.exports.works import WorkKind, keys_of, kind_of, note_of
from rag_qa.types import Paper

# The type of a record and its tag for the venue.
FORMS: dict[WorkKind, tuple[str, str]] = {
    "article": ("JOUR", "JO"),
    "conference": ("CPAPER", "T2"),
    "preprint": ("UNPB", "T2"),
    "other": ("GEN", "T2"),
}


def to_ris(papers: Sequence[Paper]) -> str:
    """Return the papers as RIS records, separated by blank lines."""
    return "\n".join(_record(key, paper) for key, paper in zip(keys_of(papers), papers, strict=True))


def _record(key: str, paper: Paper) -> str:
    record_type, venue = FORMS[kind_of(paper)]
    filled = ((tag, one_line(value)) for tag, value in _lines(key, venue, paper))
    lines = [f"{tag}  - {value}" for tag, value in filled if value]
    return "\n".join([f"TY  - {record_type}", *lines, "ER  - \n"])


def _lines(key: str, venue: str, paper: Paper) -> Iterator[tuple[str, str]]:
    yield "ID", key
    yield "TI", paper.title
    for author in paper.authors:
        yield "AU", family_first(read_person(author))
    yield "AU", OTHERS if paper.more_authors else ""
    yield "PY", str(paper.year or "")
    yield venue, paper.venue or ""
    yield "DO", paper.doi or ""
    yield "UR", paper.url or ""
    yield "N1", f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else ""
    yield "N1", f"PMID: {paper.pmid}" if paper.pmid else ""
    yield "N1", note_of(paper)
    yield "AB", paper.abstract
