"""`rag-qa similar`: the papers most like a paper of the index, or like a text."""

from pathlib import Path
from typing import Annotated

import typer

from rag_qa.answering.assistant import Assistant
from rag_qa.app.found import Found, print_found
from rag_qa.app.options import (
    DEFAULT_INDEX,
    ChromaOption,
    EmbedderOption,
    IndexOption,
    JsonOption,
    NoServiceOption,
    PapersOption,
    examples,
    load_settings,
)
from rag_qa.app.service.client import find_service
from rag_qa.corpus.decoding import decode_bytes
from rag_qa.errors import SourceError

EXAMPLES = examples("rag-qa similar arxiv:2010.00554 -k 5", "rag-qa similar --text-file draft.txt")


def similar(
    paper_id: Annotated[str | None, typer.Argument(help="Id of a paper in the index.")] = None,
    text_file: Annotated[
        Path | None, typer.Option("--text-file", help="File with an abstract or some pages of text.")
    ] = None,
    index: IndexOption = DEFAULT_INDEX,
    k: PapersOption = None,
    embedder: EmbedderOption = None,
    chroma: ChromaOption = None,
    no_service: NoServiceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find papers like a paper of the index, or like a text.

    They are printed best first, with one passage each.
    """
    text = _read_text(text_file) if text_file else None
    settings = load_settings(style="quote", k=k, embedder=embedder, chroma_url=chroma)
    service = None if no_service else find_service(index, settings, answers=False)
    with service or Assistant.open(index, settings=settings) as assistant:
        hits = assistant.similar(paper_id, text=text, k=settings.k)
    print_found(Found(hits=tuple(hits)), as_json=as_json)


def _read_text(path: Path) -> str:
    try:
        return decode_bytes(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise SourceError(f"{path} cannot be read as text ({exc}); give --text-file another file") from exc
