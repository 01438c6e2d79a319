"""Values → text for people: the same words in a terminal and in a pipe. Decides nothing, catches nothing."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.text import Text

from rag_qa.app.printing import print_text
from rag_qa.types import (
    Answer,
    Citation,
    Event,
    Explanation,
    Fate,
    Hit,
    Paper,
    PaperKind,
    PaperStatus,
    Sentence,
    Version,
)

REASON_WIDTH = 300
# Printed before a paper's heading.
WARNINGS: dict[PaperStatus, str] = {
    "retracted": "RETRACTED",
    "expression of concern": "EXPRESSION OF CONCERN",
    "corrected": "CORRECTED",
}
# Printed after a text that is not the authors' abstract from a database.
KINDS: dict[PaperKind, str] = {"synopsis": "synopsis", "pdf": "title and abstract found in a PDF"}
CITED: dict[PaperStatus, str] = {
    "retracted": "has been retracted: do not rely on it",
    "expression of concern": "is under an expression of concern",
    "corrected": "has been corrected: see the correction",
}


class Marks:
    """Numbers papers in the order in which they are cited."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, citations: Sequence[Citation]) -> str:
        """Return the marks of the citations, such as "[1][2]"."""
        numbers = [self._numbers.setdefault(c.paper_id, len(self._numbers) + 1) for c in citations]
        return "".join(f"[{number}]" for number in sorted(set(numbers)))


def show_stream(console: Console, events: Iterable[Event]) -> Answer:
    """Print an answer as its events come, and return it."""
    marks = Marks()
    for event in events:
        if event.query is not None and event.query.understood_as is not None:
            print_text(console, Text(f"Understood as: {event.query.understood_as}", style="dim"))
        if event.sentence is not None:
            show_sentence(console, event.sentence, marks)
        if event.answer is not None:
            show_sources(console, event.answer)
            return event.answer
    raise AssertionError("a stream ends in an answer")


def show_answer(console: Console, answer: Answer) -> None:
    """Print a finished answer, in the same form as `show_stream`."""
    sentences = [Event(kind="sentence", sentence=sentence) for sentence in answer.sentences]
    show_stream(
        console, [Event(kind="hits", query=answer.query), *sentences, Event(kind="answer", answer=answer)]
    )


def show_sentence(console: Console, sentence: Sentence, marks: Marks) -> None:
    """Print a sentence of an answer: a quote in quotation marks; prose with its verdict unless it is supported."""
    line = Text()
    if sentence.kind == "quote":
        line.append(f"“{sentence.text}”")
    else:
        line.append(sentence.text, style="bold")
    line.append(f" {marks.of(sentence.citations)}", style="cyan")
    if sentence.verdict.label != "supported":
        line.append(f" ({sentence.verdict.label} by its source)", style="yellow")
    print_text(console, line)


def show_sources(console: Console, answer: Answer) -> None:
    """Print the papers of an answer, with the quotes behind its prose; or why there is no answer."""
    if answer.abstained:
        print_text(console, Text(f"The papers don't say: {answer.reason}.", style="bold"))
        if answer.nearest:
            print_text(console, Text("\nNearest papers, which do not answer it:"))
        for paper in answer.nearest:
            print_text(console, Text("  - ").append(describe(paper)))
        _show_set_aside(console, answer)
        return
    print_text(console, Text(""))
    for number, paper in enumerate(answer.papers, 1):
        show_paper(console, number, paper)
        for quote in _quotes_behind_prose(answer, paper):
            print_text(console, Text(f"    “{quote}”"))
    for line in cited_warnings(answer):
        print_text(console, Text(line, style="bold red"))
    _show_set_aside(console, answer)


def set_aside_notes(answer: Answer) -> list[str]:
    """Return a line for each paper shown or found first that holds text which addresses its reader."""
    numbers = {paper.id: f"[{number}]" for number, paper in enumerate(answer.papers, 1)}
    return [
        f"{numbers.get(paper.id, f'“{paper.heading}”')} holds text that addresses its reader; it was not used."
        for paper in answer.set_aside
    ]


def _show_set_aside(console: Console, answer: Answer) -> None:
    for line in set_aside_notes(answer):
        print_text(console, Text(line, style="yellow"))


def cited_warnings(answer: Answer) -> list[str]:
    """Return a warning line for each cited paper that was retracted, corrected or is under concern."""
    cited = {citation.paper_id for sentence in answer.sentences for citation in sentence.citations}
    return [
        f"{WARNINGS[paper.status]}: [{number}] {CITED[paper.status]}."
        for number, paper in enumerate(answer.papers, 1)
        if paper.id in cited and paper.status in WARNINGS
    ]


def show_hits(console: Console, hits: Sequence[Hit], reasons: Sequence[Explanation] = ()) -> None:
    """Print search results, each with the reason why it was found if there is one."""
    if not hits:
        print_text(console, Text("The index holds no papers."))
    for hit, reason in zip_longest(hits, reasons):
        print_text(console, Text(f"{hit.rank:>2}. ", style="cyan").append(describe(hit.paper)))
        print_text(console, Text(f"    {hit.score:.3f}  {_shorten(hit.passage.text)}", style="dim"))
        if reason is not None:
            _show_reason(console, hit, reason)


def _show_reason(console: Console, hit: Hit, reason: Explanation) -> None:
    gave = ", ".join(f"{name} {value:.3f}" for name, value in hit.components.items())
    print_text(console, Text(f"    components: {gave}"))
    print_text(console, Text(f"    words: {', '.join(reason.words) or 'none of them'}"))
    print_text(console, Text(f"    nearest sentence ({reason.similarity:.3f}): “{reason.sentence}”"))


def show_paper(console: Console, number: int, paper: Paper) -> None:
    """Print a paper under its number."""
    print_text(console, Text(f"[{number}] ", style="cyan").append(describe(paper)))


def show_merged(console: Console, paper: Paper, fates: Sequence[Fate]) -> None:
    """Print the records that became a paper and why, and its other versions."""
    for fate in fates:
        why = f"merged: {fate.reason}" if fate.reason else "first"
        print_text(console, Text(f"    {fate.path}, record {fate.record} ({why})"))
    for version in paper.versions if fates else ():
        print_text(console, Text(f"    also: {version.title or paper.heading}. {_version(version)}"))


def describe(paper: Paper) -> Text:
    """Return a paper on one line: status, heading, authors, venue, year, id, kind of text, other versions."""
    details = [_authors(paper), paper.venue, str(paper.year) if paper.year else None, paper.id]
    line = Text()
    warning = WARNINGS.get(paper.status) if paper.status else None
    if warning and warning not in paper.heading:
        line.append(f"{warning}: ", style="bold red")
    line.append(paper.heading, style="bold")
    line.append(". " + ", ".join(d for d in details if d))
    if paper.kind in KINDS:
        line.append(f" ({KINDS[paper.kind]})", style="italic")
    if paper.status == "preprint":
        line.append(" (preprint)", style="italic")
    if elsewhere := _elsewhere(paper):
        line.append(f" (also {'; '.join(elsewhere)})", style="italic")
    return line


def _elsewhere(paper: Paper) -> list[str]:
    """Return venue and year of the other versions."""
    places = (
        _where(version)
        for version in paper.versions
        if (version.venue, version.year) != (paper.venue, paper.year)
    )
    return list(dict.fromkeys(where for where in places if where))


def _where(version: Version) -> str:
    venue = version.venue or ("arXiv" if version.arxiv_id else version.status)
    return " ".join(str(part) for part in (venue, version.year) if part)


def _version(version: Version) -> str:
    ids = (version.doi, version.arxiv_id, version.pmid, version.status)
    return ", ".join(str(part) for part in (version.venue, version.year, *ids) if part)


def _authors(paper: Paper) -> str | None:
    if len(paper.authors) > 3:
        return f"{paper.authors[0]} et al."
    return (", ".join(paper.authors) + (" et al." if paper.more_authors else "")) or None


def _quotes_behind_prose(answer: Answer, paper: Paper) -> list[str]:
    """Return the quotes that prose cites from a paper, without those that are sentences of the answer themselves."""
    quoted = {c for sentence in answer.sentences if sentence.kind == "quote" for c in sentence.citations}
    prose = (sentence for sentence in answer.sentences if sentence.kind == "prose")
    cited = (c for sentence in prose for c in sentence.citations if c.paper_id == paper.id)
    return [c.quote for c in dict.fromkeys(cited) if c not in quoted]


def _shorten(text: str) -> str:
    return text if len(text) <= REASON_WIDTH else text[:REASON_WIDTH].rsplit(" ", 1)[0] + " …"
