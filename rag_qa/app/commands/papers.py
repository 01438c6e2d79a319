"""`rag-qa papers`: the papers of an index, and which records became one paper and why."""

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.options import DEFAULT_INDEX, IndexOption, JsonOption, examples, with_filter
from rag_qa.app.printing import safe_json, say
from rag_qa.app.rendering import show_merged, show_paper
from rag_qa.app.streams import print_json
from rag_qa.index.merged import merged_fates
from rag_qa.index.reader import Index
from rag_qa.retrieval.passing import passing_papers
from rag_qa.types import Fate, Filter, Paper

EXAMPLES = examples("rag-qa papers --author Gemp", "rag-qa papers --merged")


@with_filter
def papers(
    index: IndexOption = DEFAULT_INDEX,
    merged: Annotated[
        bool,
        typer.Option("--merged", help="Only papers made of several records, and why these are one paper."),
    ] = False,
    *,
    filter: Filter,
    as_json: JsonOption = False,
) -> None:
    """List the papers of an index, all or some.

    With --merged: which records became one paper, and why.
    """
    with closing(Index.open(index)) as opened:
        chosen = [paper for paper in passing_papers(opened, filter) if not merged or len(paper.sources) > 1]
        fates = merged_fates(opened, chosen) if merged else [()] * len(chosen)
    listed = list(zip(chosen, fates, strict=True))
    if as_json:
        rows = [_as_json(paper, own) for paper, own in listed]
        print_json(safe_json(json.dumps(rows, ensure_ascii=False, indent=2)))
        return
    console = Console()
    for number, (paper, own) in enumerate(listed, 1):
        show_paper(console, number, paper)
        show_merged(console, paper, own)
    if merged and not chosen:
        say(console, "No paper was made of several records.")


def _as_json(paper: Paper, fates: Sequence[Fate]) -> dict[str, object]:
    row = paper.model_dump(exclude={"abstract"})
    return row | ({"records": [fate.model_dump(exclude={"paper_id"}) for fate in fates]} if fates else {})
