"""`rag-qa cite`: papers of an index as references for LaTeX, Zotero, pandoc and people."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.clipboard import copy_text
from rag_qa.app.exporting import check_target, write_new
from rag_qa.app.lookup import find_paper
from rag_qa.app.options import DEFAULT_INDEX, CopyOption, IndexOption, examples, with_filter
from rag_qa.app.printing import say
from rag_qa.errors import ExportError, QuestionError
from rag_qa.exports import export_papers
from rag_qa.index.reader import Index
from rag_qa.retrieval.passing import passing_papers
from rag_qa.types import EVERY_PAPER, Filter, Paper

EXAMPLES = examples(
    "rag-qa cite 10.48550/arXiv.2010.00554",
    "rag-qa cite --all --since 2020 --output references.bib",
    "rag-qa cite --author Gemp --format text --copy",
)
DEFAULT_FORMAT = "bib"


@with_filter
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
    *,
    filter: Filter,
) -> None:
    """Print papers as BibTeX, RIS, CSL-JSON or text.

    Retractions are noted.
    """
    every = every or filter != EVERY_PAPER
    if every == bool(ids):
        raise QuestionError("name the papers to cite by their ids, or cite --all; `rag-qa papers` lists them")
    format = format or (check_target(output) if output else DEFAULT_FORMAT)
    with closing(Index.open(index)) as opened:
        text = export_papers(_chosen(opened, ids or (), filter), format)
    errors = Console(stderr=True)
    if output:
        write_new(output, text)
        say(errors, f"Exported: {output}")
    if copy:
        say(errors, f"Copied by {copy_text(text)}.")
    if not (output or copy):
        print(text, end="")


def _chosen(index: Index, ids: Sequence[str], filter: Filter) -> list[Paper]:
    """Return the papers named, each once, else all that pass the filter. Raises ExportError if there are none."""
    named = {paper.id: paper for paper in (find_paper(index, paper_id) for paper_id in ids)}
    papers = list(named.values()) if ids else list(passing_papers(index, filter))
    if not papers:
        raise ExportError("the index holds no papers; add some with `rag-qa index SOURCE`")
    return papers
