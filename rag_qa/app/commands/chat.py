"""`rag-qa chat`: questions and follow-ups in a terminal or from a pipe."""

from typing import Annotated

import typer
from rich.console import Console

from rag_qa.app.chat.opening import Opener
from rag_qa.app.chat.repl import hold_chat
from rag_qa.app.chat.sessions import list_sessions, resumed
from rag_qa.app.model_choice import explain_choice, settle_model
from rag_qa.app.options import (
    DEFAULT_INDEX,
    Flags,
    IndexOption,
    LiteralOption,
    examples,
    load_settings,
    with_filter,
    with_model_flags,
)
from rag_qa.types import Filter

EXAMPLES = examples("rag-qa chat", "rag-qa chat --since 2015 --style quote", "rag-qa chat --resume")


@with_filter
@with_model_flags
def chat(
    session: Annotated[
        str | None, typer.Argument(metavar="[SESSION]", help="With --resume: a session, or `last`.")
    ] = None,
    index: IndexOption = DEFAULT_INDEX,
    *,
    filter: Filter,
    literal: LiteralOption = False,
    flags: Flags,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Continue a saved conversation: SESSION, or the last one with this index."
        ),
    ] = False,
    sessions: Annotated[
        bool, typer.Option("--sessions", help="List the saved conversations and exit.")
    ] = False,
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Save neither the conversation nor the lines typed.")
    ] = False,
) -> None:
    """Ask questions and follow-up questions; answers stream.

    /help shows the commands of the chat.
    """
    if sessions:
        list_sessions(Console(), index)
        return
    settings, choice = settle_model(load_settings(**flags))
    saved = resumed(session, resume=resume, index=index)
    with Opener(index, settings) as opener:
        explain_choice(Console(stderr=True), choice, settings)
        hold_chat(opener, saved, filter=filter, literal=literal, history=not no_history)
