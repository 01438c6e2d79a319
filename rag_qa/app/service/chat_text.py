"""An answer as the text of a chat message, with marks, papers and quotes as `rag-qa ask` prints them.

Chat programs render Markdown, and papers are data: text that could become a link, an image or a tag is broken up.
"""

import io
import re
from collections.abc import Callable

from rich.console import Console

from rag_qa.app.printing import say
from rag_qa.app.rendering import Marks, show_sentence, show_sources
from rag_qa.app.service.chat_bodies import ChatCitation
from rag_qa.types import Answer, Event

_LINK = re.compile(r"\](?=[(:])")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINE_END = re.compile(r"(?<=\S)\n")
WIDTH = 1_000_000


def said(event: Event, marks: Marks) -> str:
    """Return the text that an event adds: how the question was understood, a sentence, or the papers at the end."""
    query, sentence, answer = event.query, event.sentence, event.answer
    if query is not None and query.understood_as is not None:
        return _printed(lambda console: say(console, f"Understood as: {query.understood_as}\n"))
    if sentence is not None:
        return _printed(lambda console: show_sentence(console, sentence, marks))
    if answer is not None:
        return _printed(lambda console: show_sources(console, answer))
    return ""


def cited(answer: Answer) -> tuple[ChatCitation, ...]:
    """Return the quotes behind the marks, in the order of the sentences."""
    numbers = {paper.id: (number, paper) for number, paper in enumerate(answer.papers, 1)}
    return tuple(
        ChatCitation(
            mark=numbers[citation.paper_id][0],
            title=numbers[citation.paper_id][1].heading,
            sentence=sentence.text,
            verdict=sentence.verdict.label,
            **citation.model_dump(),
        )
        for sentence in answer.sentences
        for citation in sentence.citations
    )


def _printed(show: Callable[[Console], None]) -> str:
    """Return what is printed, with line ends that Markdown keeps."""
    text = io.StringIO()
    show(Console(file=text, width=WIDTH, color_system=None, force_terminal=False))
    return _LINE_END.sub("  \n", _TAG.sub("< ", _LINK.sub("] ", text.getvalue())))
