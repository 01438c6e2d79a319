"""`rag-qa papers`: the papers of an index, and which records became one and why."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.filtering import make_filter
from rag_qa.app.options import (
    DEFAULT_INDEX,
    AuthorOption,
    IndexOption,
    JsonOption,
    SinceOption,
    SourceOption,
    StatusOption,
    VenueOption,
    WithoutOption,
    YearOption,
)
from rag_qa.app.rendering import safe_json, say, show_merged, show_paper
from rag_qa.app.streams import print_json
from rag_qa.corpus.merging import why_merged
from rag_qa.index.reader import Index
from rag_qa.retrieval.filters import matching
from rag_qa.types import EVERY_PAPER, Fate, Filter, Paper


def papers(
    index: IndexOption = DEFAULT_INDEX,
    merged: Annotated[
        bool, typer.Option("--merged", help="Only papers of several records, and why these are one.")
    ] = False,
    year: YearOption = None,
    since: SinceOption = None,
    venue: VenueOption = None,
    author: AuthorOption = None,
    source: SourceOption = None,
    status: StatusOption = None,
    without: WithoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the papers of an index, all or some; with --merged, what became one and why."""
    wanted = make_filter(
        year=year,
        since=since,
        venues=venue or (),
        authors=author or (),
        sources=source or (),
        statuses=status or (),
        without=without or (),
    )
    opened = Index.open(index)
    try:
        chosen = [paper for paper in passing(opened, wanted) if not merged or len(paper.sources) > 1]
        fates = _fates(opened, chosen) if merged else [()] * len(chosen)
    finally:
        opened.close()
    if as_json:
        listed = [_as_json(paper, own) for paper, own in zip(chosen, fates, strict=True)]
        print_json(safe_json(json.dumps(listed, ensure_ascii=False, indent=2)))
        return
    console = Console()
    for number, (paper, own) in enumerate(zip(chosen, fates, strict=True), 1):
        show_paper(console, number, paper)
        show_merged(console, paper, own)
    if merged and not chosen:
        say(console, "No paper was made of several records.")


def passing(index: Index, wanted: Filter) -> Iterator[Paper]:
    """Yield the papers that pass the filter, in order of ids. Raises FilterError where none does."""
    passing = None if wanted == EVERY_PAPER else set(matching(wanted, index.facets).tolist())
    return (paper for place, paper in enumerate(index.papers()) if passing is None or place in passing)


def _fates(index: Index, chosen: Sequence[Paper]) -> list[Sequence[Fate]]:
    """Return for each paper what became of its records: one stands for it, the others were merged for a reason."""
    wanted = {(source.path, source.record) for paper in chosen for source in paper.sources}
    places = ((record.sources[0], record) for record in index.records())
    records = {(at.path, at.record): record for at, record in places if (at.path, at.record) in wanted}
    return [_fates_of(paper, [records[s.path, s.record] for s in paper.sources]) for paper in chosen]


def _fates_of(paper: Paper, records: Sequence[Paper]) -> list[Fate]:
    reasons = [None, *why_merged(records)]
    return [
        Fate(
            path=source.path,
            record=source.record,
            fate="merged" if reason else "added",
            paper_id=paper.id,
            reason=reason,
        )
        for source, reason in zip(paper.sources, reasons, strict=True)
    ]


def _as_json(paper: Paper, fates: Sequence[Fate]) -> dict[str, object]:
    listed = paper.model_dump(exclude={"abstract"})
    return listed | ({"records": [fate.model_dump(exclude={"paper_id"}) for fate in fates]} if fates else {})
