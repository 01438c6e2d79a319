"""Answers, papers and hits → HTML: fragments for notebooks, and a page that needs no other file.

The template engine escapes every text. There is no script: quotes unfold as <details> elements.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from rag_qa.exports.one_line import one_line
from rag_qa.exports.references import address_of, authors_of
from rag_qa.exports.shown import show
from rag_qa.exports.works import NOTES, TEXTS
from rag_qa.types import Answer, Hit, Paper

TEMPLATE = "shown.html.jinja"


def to_page(answer: Answer) -> str:
    """Return an answer as a whole HTML page."""
    return _macro("page", show(answer))


def answer_html(answer: Answer) -> str:
    """Return an answer as HTML for a notebook."""
    return _macro("answer", show(answer))


def paper_html(paper: Paper) -> str:
    """Return a paper as HTML for a notebook."""
    return _macro("paper", paper)


def hits_html(hits: Sequence[Hit]) -> str:
    """Return hits as HTML for a notebook."""
    return _macro("hits", hits)


def _macro(name: str, value: Any) -> str:
    return str(getattr(_module(), name)(value))


@cache
def _module() -> Any:
    # Imported here, because most commands do not need it.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_seen, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {
        "address_of": address_of,
        "authors_of": authors_of,
        "NOTES": NOTES,
        "TEXTS": TEXTS,
    }
    return environment.from_string((files("rag_qa.exports") / TEMPLATE).read_text("utf-8")).module


def _seen(value: Any) -> Any:
    """Return a text as one safe line; markup of the template itself unchanged."""
    return one_line(value) if type(value) is str else value
