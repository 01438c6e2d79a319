"""`rag-qa ask`: one question, answered from the papers."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.answering.receipts.write import check_free, write_receipt
from rag_qa.app.exporting import check_target, hand_out
from rag_qa.app.model_choice import explain_choice, settle_model
from rag_qa.app.options import (
    DEFAULT_INDEX,
    CopyOption,
    Flags,
    IndexOption,
    JsonOption,
    LiteralOption,
    NoServiceOption,
    PapersOption,
    RerankerOption,
    examples,
    load_settings,
    with_filter,
    with_model_flags,
)
from rag_qa.app.printing import safe_json, say
from rag_qa.app.progress import with_spinner
from rag_qa.app.rendering import show_stream
from rag_qa.app.service.client import find_service
from rag_qa.app.streams import print_json
from rag_qa.types import Filter

EXAMPLES = examples(
    'rag-qa ask "which papers connect games and machine learning?"',
    'rag-qa ask "what is dropout?" --since 2015 --style quote',
    'rag-qa ask "what is dropout?" --save answer.json --export answer.md',
)


@with_filter
@with_model_flags
def ask(
    question: Annotated[str, typer.Argument(help="The question.")],
    index: IndexOption = DEFAULT_INDEX,
    k: PapersOption = None,
    *,
    filter: Filter,
    literal: LiteralOption = False,
    flags: Flags,
    reranker: RerankerOption = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Save the answer for `rag-qa verify` and `rag-qa replay`.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            help="Write the answer into a new file: .md, .html, .json; or its papers: .bib, .ris, .csl.json.",
        ),
    ] = None,
    copy: CopyOption = False,
    no_service: NoServiceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from the papers, or say that they don't."""
    settings = load_settings(**flags, reranker=reranker, evidence_papers=k, listed_papers=k)
    errors = Console(stderr=True)
    if save:
        check_free(save)
    if export:
        check_target(export)
    service = None if no_service else find_service(index, settings, answers=True)
    settings, choice = settle_model(settings, service.choice if service else None)
    with service or Assistant.open(index, settings=settings) as assistant:
        explain_choice(errors, choice, settings)
        if as_json:
            answer = assistant.ask(question, filter=filter, literal=literal)
            print_json(safe_json(answer.model_dump_json(indent=2)))
        else:
            stream = assistant.stream(question, filter=filter, literal=literal)
            with closing(with_spinner(stream, errors)) as events:
                answer = show_stream(Console(), events)
    if save:
        write_receipt(answer, save)
        say(errors, f"Saved: {save}")
    hand_out(answer, errors, export=export, copy=copy)
