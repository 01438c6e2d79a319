"""/filter, /literal, /style and /model: how the next questions are taken and answered."""

from typing import get_args

from rag_qa.app.chat.conversation import Conversation
from rag_qa.app.chat.nearest import did_you_mean
from rag_qa.app.chat.session import Record
from rag_qa.app.filtering import read_filter
from rag_qa.app.rendering import say
from rag_qa.backends.locating import choose_model
from rag_qa.errors import CommandError
from rag_qa.settings import Style
from rag_qa.types import EVERY_PAPER

STYLES: tuple[Style, ...] = get_args(Style)
ANSWERED_IN = {
    "auto": "Answers are as the language model is able to give them.",
    "quote": "Answers are verbatim quotes.",
    "synthesis": "Answers are written by the language model.",
}


def set_filter(chat: Conversation, text: str) -> None:
    """Change the filter once papers are known to pass it; without one, say which is set."""
    if text:
        wanted = EVERY_PAPER if text == "off" else read_filter(text)
        count = chat.assistant.count(wanted)
        chat.filter = wanted
        chat.note(Record(filter=wanted))
        say(chat.console, f"{count} papers {wanted.text}".rstrip() + ".")
    else:
        say(chat.console, f"Only papers {chat.filter.text}." if chat.filter.text else "No filter is set.")


def set_literal(chat: Conversation, _: str) -> None:
    """Take questions as they stand, or no longer."""
    chat.literal = not chat.literal
    chat.note(Record(literal=chat.literal))
    say(
        chat.console,
        "Questions are taken as they stand." if chat.literal else "Questions are understood again.",
    )


def set_style(chat: Conversation, text: str) -> None:
    """Answer in another style from now on; without one, say which is set."""
    if text and text not in STYLES:
        raise CommandError(
            f"There is no style {text}{did_you_mean(text, STYLES)}; write /style {'|'.join(STYLES)}."
        )
    if text:
        chat.opener.change(style=text)
    say(chat.console, ANSWERED_IN[chat.opener.settings.style])


def set_model(chat: Conversation, text: str) -> None:
    """Let another language model answer from now on; without one, say which does."""
    if text:
        chat.opener.change(model=choose_model(text).name)
    say(chat.console, f"The language model is {chat.opener.settings.model}.")
