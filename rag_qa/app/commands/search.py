"""`rag-qa search`: the papers that fit some words best."""

from typing import Annotated

import typer

from rag_qa.answering.assistant import Assistant
from rag_qa.app.found import find, print_found
from rag_qa.app.options import (
    DEFAULT_INDEX,
    ChromaOption,
    EmbedderOption,
    IndexOption,
    JsonOption,
    NoServiceOption,
    PapersOption,
    RerankerOption,
    examples,
    load_settings,
    with_filter,
)
from rag_qa.app.service.client import find_service
from rag_qa.types import Filter

EXAMPLES = examples(
    'rag-qa search "equilibria of games" -k 5',
    "rag-qa search dropout --since 2015 --venue NeurIPS --explain",
)


@with_filter
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    index: IndexOption = DEFAULT_INDEX,
    k: PapersOption = None,
    *,
    filter: Filter,
    embedder: EmbedderOption = None,
    chroma: ChromaOption = None,
    reranker: RerankerOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the score of each component, and what matched.")
    ] = False,
    no_service: NoServiceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find papers: best first, one passage each."""
    settings = load_settings(style="quote", k=k, embedder=embedder, reranker=reranker, chroma_url=chroma)
    service = None if no_service else find_service(index, settings, answers=False)
    if service:
        found = service.find(query, settings.k, filter=filter, explain=explain)
    else:
        with Assistant.open(index, settings=settings) as assistant:
            found = find(assistant, query, filter=filter, explain=explain)
    print_found(found, as_json=as_json)
