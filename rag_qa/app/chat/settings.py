"""/filter, /literal, /style and /model: how the next questions are understood and answered."""

from typing import get_args

from rag_qa.app.chat.session import SessionEntry
from rag_qa.app.chat.state import ChatState
from rag_qa.app.filtering import read_filter
from rag_qa.app.nearest import did_you_mean
from rag_qa.app.printing import say
from rag_qa.backends.locating import choose_model
from rag_qa.errors import CommandError
from rag_qa.settings import Style
from rag_qa.types import EVERY_PAPER

STYLES: tuple[Style, ...] = get_args(Style)
ANSWERED_IN = {
    "auto": "Answers are quoted or written, as suits the language model.",
    "quote": "Answers are verbatim quotes.",
    "synthesis": "Answers are written by the language model.",
}


def set_filter(chat: ChatState, text: str) -> None:
    """Change the filter, if any paper passes the new one; without an argument, print the filter that is set."""
    if text:
        wanted = EVERY_PAPER if text == "off" else read_filter(text)
        count = chat.assistant.count(wanted)
        chat.filter = wanted
        chat.note(SessionEntry(filter=wanted))
        say(chat.console, f"{count} papers {wanted.text}".rstrip() + ".")
    else:
        say(chat.console, f"Only papers {chat.filter.text}." if chat.filter.text else "No filter is set.")


def set_literal(chat: ChatState, _: str) -> None:
    """Take questions literally, or no longer."""
    chat.literal = not chat.literal
    chat.note(SessionEntry(literal=chat.literal))
    say(
        chat.console,
        "Questions are taken literally." if chat.literal else "Questions are interpreted again.",
    )


def set_style(chat: ChatState, text: str) -> None:
    """Answer in another style from now on; without an argument, print the style that is set."""
    if text and text not in STYLES:
        raise CommandError(
            f"There is no style {text}{did_you_mean(text, STYLES)}; write /style {'|'.join(STYLES)}."
        )
    if text:
        chat.opener.change(style=text)
    say(chat.console, ANSWERED_IN[chat.opener.settings.style])


def set_model(chat: ChatState, text: str) -> None:
    """Use another language model from now on; without an argument, print its name."""
    if text:
        chat.opener.change(model=choose_model(text).name)
    say(chat.console, f"The language model is {chat.opener.settings.model}.")
