"""`rag-qa eval`: index a set's papers where no index is named, run the set, print and keep the report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_cache_path
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.answering.verifying import judge
from rag_qa.app.options import JsonOption, load_settings
from rag_qa.app.progress import progress_bar
from rag_qa.errors import EvaluationError
from rag_qa.evaluation.conversations import CONVERSATIONS, load_conversations
from rag_qa.evaluation.corpora import resolve_corpus
from rag_qa.evaluation.datasets import load_beir, load_question_set
from rag_qa.evaluation.evaluating import evaluate
from rag_qa.evaluation.reports import render, to_json
from rag_qa.index.builder import build_index
from rag_qa.index.changes import Progress
from rag_qa.settings import Settings


def evaluate_set(
    folder: Annotated[
        Path, typer.Argument(help="Questions or conversations (set.toml …), or a BEIR folder.")
    ],
    index: Annotated[Path | None, typer.Option("--index", help="Index of the set's papers.")] = None,
    style: Annotated[str | None, typer.Option("--style", help="auto, quote or synthesis.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Catalogue name or GGUF file.")] = None,
    results: Annotated[
        Path | None, typer.Option("--results", help="Where to write; default: results/ beside the set.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval, grounding and abstention on a question set, without a judge model."""
    settings = load_settings(style=style, model=model)
    errors = Console(stderr=True)
    with progress_bar(errors) as tell:
        index = index or _index_of(folder, settings, tell)
        with Assistant.open(index, settings=settings) as assistant:
            report = evaluate(
                folder,
                assistant,
                results=results or folder.resolve().parent / "results",
                support=is_supported,
                progress=lambda done, total: tell("asking", done, total),
            )
    typer.echo(to_json(report) if as_json else render(report), nl=False)


def is_supported(sentence: str, quotes: Sequence[str]) -> bool:
    """Whether our own verdict on a sentence is `supported`; the reports name this as what decides."""
    return judge(sentence, quotes).label == "supported"


def _index_of(folder: Path, settings: Settings, tell: Progress) -> Path:
    """Return an index of the set's own papers, kept in the user's cache and brought up to date."""
    if not folder.is_dir():
        raise EvaluationError(f"there is no folder {folder}; name a question set such as eval/sample")
    if (folder / "set.toml").is_file():
        load = load_conversations if (folder / CONVERSATIONS).is_file() else load_question_set
        sources, name = resolve_corpus(load(folder)), folder.name
    else:
        load_beir(folder)
        sources = [p for p in sorted(folder.iterdir()) if p.name.startswith(("corpus.", "documents."))]
        name = f"beir-{folder.resolve().name}"
    index = user_cache_path("rag_qa") / "eval" / name
    build_index(sources, index, settings=settings, prune=True, progress=tell)
    return index
