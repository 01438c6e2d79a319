"""`rag-qa cite`: papers of an index as references for LaTeX, Zotero, pandoc and people."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console

from rag_qa.app.clipboard import copy_text
from rag_qa.app.exporting import check_target, write_new
from rag_qa.app.filtering import make_filter
from rag_qa.app.options import (
    DEFAULT_INDEX,
    AuthorOption,
    CopyOption,
    IndexOption,
    SinceOption,
    SourceOption,
    StatusOption,
    VenueOption,
    WithoutOption,
    YearOption,
)
from rag_qa.app.papers import passing
from rag_qa.app.rendering import say
from rag_qa.errors import ExportError, QuestionError
from rag_qa.exports import export_papers
from rag_qa.index.reader import Index
from rag_qa.types import EVERY_PAPER, Filter, Paper

NEAR = 3
DEFAULT_FORMAT = "bib"


def cite(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Ids, DOIs or arXiv ids of papers.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All papers, or all that pass the filters.")] = False,
    format: Annotated[
        str | None, typer.Option("--format", help="bib, ris, csl or text.", show_default=DEFAULT_FORMAT)
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write into a new file.")] = None,
    copy: CopyOption = False,
    index: IndexOption = DEFAULT_INDEX,
    year: YearOption = None,
    since: SinceOption = None,
    venue: VenueOption = None,
    author: AuthorOption = None,
    source: SourceOption = None,
    status: StatusOption = None,
    without: WithoutOption = None,
) -> None:
    """Print papers as BibTeX, RIS, CSL-JSON or text; a retraction is noted."""
    wanted = make_filter(
        year=year,
        since=since,
        venues=venue or (),
        authors=author or (),
        sources=source or (),
        statuses=status or (),
        without=without or (),
    )
    every = every or wanted != EVERY_PAPER
    if every == bool(ids):
        raise QuestionError("name the papers to cite by their ids, or cite --all; `rag-qa papers` lists them")
    format = format or (check_target(output) if output else DEFAULT_FORMAT)
    with closing(Index.open(index)) as opened:
        text = export_papers(_chosen(opened, ids or (), wanted), format)
    errors = Console(stderr=True)
    if output:
        write_new(output, text)
        say(errors, f"Exported: {output}")
    if copy:
        say(errors, f"Copied by {copy_text(text)}.")
    if not (output or copy):
        print(text, end="")


class PaperHolder(Protocol):
    """What holds papers: an index, or the assistant that opened it."""

    def paper(self, paper_id: str) -> Paper: ...

    def papers(self) -> Iterator[Paper]: ...


def find_paper(holder: PaperHolder, paper_id: str) -> Paper:
    """Return the paper with this id, alias, DOI or arXiv id. Raises QuestionError that names near ids."""
    try:
        return holder.paper(paper_id)
    except KeyError as exc:
        raise QuestionError(no_paper(paper_id, [paper.id for paper in holder.papers()])) from exc


def no_paper(paper_id: str, known: Sequence[str]) -> str:
    """Return what to say of an id that no paper has: which ids are near."""
    folded = {one.casefold(): one for one in known}
    near = [folded[one] for one in get_close_matches(paper_id.casefold(), folded, n=NEAR)]
    hint = f"did you mean {' or '.join(near)}?" if near else "`rag-qa papers` lists all ids"
    return f"the index has no paper {paper_id!r}; {hint}"


def _chosen(index: Index, ids: Sequence[str], wanted: Filter) -> list[Paper]:
    """Return the papers named, each once, else all that pass the filter. Raises ExportError where there are none."""
    named = [find_paper(index, paper_id) for paper_id in ids]
    papers = list({paper.id: paper for paper in named}.values()) if ids else list(passing(index, wanted))
    if not papers:
        raise ExportError("the index holds no papers; add some with `rag-qa index SOURCE`")
    return papers
