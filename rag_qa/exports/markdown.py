"""An answer → Markdown: the question, the sentences with marks, and the papers with their quotes."""

import re
from collections.abc import Iterator

from rag_qa.exports.one_line import one_line
from rag_qa.exports.references import address_of, authors_of
from rag_qa.exports.shown import Shown, show
from rag_qa.exports.works import NOTES, TEXTS
from rag_qa.types import Answer, Paper

_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~$&!]")
# Characters that begin a list, a heading or a rule at the start of a line.
_OPENING = re.compile(r"^(?:([-+=:])|(\d{1,9})([.)]))")


def to_markdown(answer: Answer) -> str:
    """Return an answer as Markdown. Text from papers and from the model is escaped, so it is never markup."""
    return "\n".join(_lines(show(answer))) + "\n"


def _lines(shown: Shown) -> Iterator[str]:
    yield f"# {escape(shown.question)}\n"
    if shown.understood_as:
        yield f"*Understood as: {escape(shown.understood_as)}*\n"
    if shown.refusal:
        yield f"**{escape(shown.refusal)}**\n"
    for sentence in shown.sentences:
        text = f"> “{escape(sentence.text)}”" if sentence.is_quote else escape(sentence.text)
        doubt = f" *({sentence.doubt})*" if sentence.doubt else ""
        yield f"{text} {sentence.marks}{doubt}".rstrip() + "\n"
    if shown.papers:
        yield f"## {shown.heading}\n"
    for source in shown.papers:
        yield f"{source.number}. {_paper(source.paper)}"
        yield from (f"   > “{escape(quote)}”\n" for quote in source.quotes)


def _paper(paper: Paper) -> str:
    details = [authors_of(paper), paper.venue, str(paper.year or "")]
    known = escape(", ".join(detail for detail in details if detail))
    address = address_of(paper)
    warning = f" **{NOTES[paper.status]}.**" if paper.status else ""
    text = f" *{TEXTS[paper.kind]}.*" if paper.kind in TEXTS else ""
    parts = [f"**{escape(paper.heading)}**", known, f"<{_address(address)}>" if address else ""]
    return ". ".join(part for part in parts if part) + warning + text + "\n"


def escape(text: str) -> str:
    """Return a text on one line, escaped so that Markdown shows it unchanged."""
    marked = _MARKS.sub(r"\\\g<0>", one_line(text))
    return _OPENING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", marked)


def _address(text: str) -> str:
    return re.sub(r"[\s<>]", "", one_line(text))
