"""Papers → CSL-JSON, as citeproc, pandoc and Zotero read it."""

import json
from collections.abc import Sequence
from typing import Any

from rag_qa.exports.one_line import one_line
from rag_qa.exports.people import OTHERS, Person, read_person
from rag_qa.exports.works import WorkKind, keys_of, kind_of, note_of
from rag_qa.types import Paper

TYPES: dict[WorkKind, str] = {
    "article": "article-journal",
    "conference": "paper-conference",
    "preprint": "article",
    "other": "document",
}


def to_csl(papers: Sequence[Paper]) -> str:
    """Return the papers as an array of CSL-JSON items."""
    items = [_item(key, paper) for key, paper in zip(keys_of(papers), papers, strict=True)]
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _item(key: str, paper: Paper) -> dict[str, Any]:
    kind = kind_of(paper)
    texts = {
        "title": paper.title,
        "container-title": paper.venue,
        "DOI": paper.doi,
        "URL": paper.url,
        "PMID": paper.pmid,
        "genre": "preprint" if paper.status == "preprint" else None,
        "note": _note(paper),
        "abstract": paper.abstract,
    }
    item: dict[str, Any] = {"id": key, "type": TYPES[kind]}
    if authors := _authors(paper):
        item["author"] = authors
    if paper.year:
        item["issued"] = {"date-parts": [[paper.year]]}
    return item | {name: line for name, text in texts.items() if (line := one_line(text or ""))}


def _authors(paper: Paper) -> list[dict[str, str]]:
    names = [_name(read_person(author)) for author in paper.authors]
    return [*names, {"literal": OTHERS}] if paper.more_authors else names


def _name(person: Person) -> dict[str, str]:
    parts = person._asdict()
    parts["non-dropping-particle"] = parts.pop("particle")
    return {name: part for name, part in parts.items() if part}


def _note(paper: Paper) -> str:
    arxiv = f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else ""
    return ". ".join(part for part in (note_of(paper), arxiv) if part)
