"""Values → text for people: the same words in a terminal and in a pipe. Decides nothing, catches nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby, zip_longest

from rich.console import Console
from rich.text import Text

from rag_qa.types import (
    Answer,
    Citation,
    Event,
    Explanation,
    Fate,
    Hit,
    IndexReport,
    Paper,
    PaperKind,
    PaperStatus,
    Sentence,
    Skipped,
    Version,
)

REASON_WIDTH = 300
# C0 but the newline, DEL, C1 and what turns the direction of text: they would act on the terminal.
_ACTING = [c for c in range(0xA0) if (c < 0x20 and c != 0x0A) or c >= 0x7F]
_ACTING += [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
CONTROLS = dict.fromkeys(_ACTING)
# One for one, so that the styles of a line stay where they are.
_STRUCK = dict.fromkeys(_ACTING, "\ufffd")
_ESCAPED = {c: f"\\u{c:04x}" for c in _ACTING}
SHOWN_SKIPS = 10
# What stands before a paper's heading, so that nobody overlooks it.
WARNINGS: dict[PaperStatus, str] = {
    "retracted": "RETRACTED",
    "expression of concern": "EXPRESSION OF CONCERN",
    "corrected": "CORRECTED",
}
# How a text is marked that is not the authors' own abstract as a database has it.
KINDS: dict[PaperKind, str] = {"synopsis": "synopsis", "pdf": "title and abstract found in a PDF"}
CITED: dict[PaperStatus, str] = {
    "retracted": "has been retracted: do not rely on it",
    "expression of concern": "is under an expression of concern",
    "corrected": "has been corrected: see the correction",
}
SHOWN_REASONS = 3


class Marks:
    """The numbers that papers get on screen, in order of citation."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, citations: Sequence[Citation]) -> str:
        """Return the marks of the citations, such as "[1][2]"."""
        numbers = [self._numbers.setdefault(c.paper_id, len(self._numbers) + 1) for c in citations]
        return "".join(f"[{number}]" for number in sorted(set(numbers)))


def show_stream(console: Console, events: Iterable[Event]) -> Answer:
    """Print an answer while it comes, and return it."""
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
    """Print an answer that is there already, as it is printed while it comes."""
    sentences = [Event(kind="sentence", sentence=sentence) for sentence in answer.sentences]
    show_stream(
        console, [Event(kind="hits", query=answer.query), *sentences, Event(kind="answer", answer=answer)]
    )


def show_sentence(console: Console, sentence: Sentence, marks: Marks) -> None:
    """Print a sentence of an answer: quotes in quotation marks, prose without, unsupported prose said to be so."""
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
    """Print what an answer stands on: its papers, with the quotes behind prose; or why there is no answer."""
    if answer.abstained:
        print_text(console, Text(f"The papers don't say: {answer.reason}.", style="bold"))
        if answer.nearest:
            print_text(console, Text("\nNearest papers, which do not answer it:"))
        for paper in answer.nearest:
            print_text(console, Text("  - ").append(describe(paper)))
        return
    print_text(console, Text(""))
    for number, paper in enumerate(answer.papers, 1):
        show_paper(console, number, paper)
        for quote in _quotes_behind_prose(answer, paper):
            print_text(console, Text(f"    “{quote}”"))
    for line in cited_warnings(answer):
        print_text(console, Text(line, style="bold red"))


def cited_warnings(answer: Answer) -> list[str]:
    """Return what a reader must be told of the papers that an answer cites, one line for each."""
    cited = {citation.paper_id for sentence in answer.sentences for citation in sentence.citations}
    return [
        f"{WARNINGS[paper.status]}: [{number}] {CITED[paper.status]}."
        for number, paper in enumerate(answer.papers, 1)
        if paper.id in cited and paper.status in WARNINGS
    ]


def show_hits(console: Console, hits: Sequence[Hit], reasons: Sequence[Explanation] = ()) -> None:
    """Print search results, with the reasons why each was found where these are given."""
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


def show_report(console: Console, report: IndexReport, *, dry_run: bool = False) -> None:
    """Print what indexing did, or would do: the fates of the records add up to those found."""
    parts = [f"{report.added} added", *([f"{report.changed} changed"] if report.changed else [])]
    parts += [f"{report.merged} merged", f"{report.unchanged} unchanged", f"{report.skipped} skipped"]
    beside = [f"{report.removed} removed from the index"] if report.removed else []
    told = "; ".join([", ".join(parts), *beside, f"{report.embedded} passages embedded"])
    print_text(console, Text(f"{report.found} {'record' if report.found == 1 else 'records'} found: {told}."))
    if dry_run:
        print_text(
            console, Text(f"Dry run: nothing was written; the index would hold {report.papers} papers.")
        )
        return
    print_text(console, Text(f"{report.papers} papers in the index ({report.seconds:.1f} s)."))


def show_skips(console: Console, report: IndexReport) -> None:
    """Print which records were skipped and why: in one line where nothing of a file was taken, and the first others.

    Before them, which files were read in another encoding than UTF-8.
    """
    _say_first(
        console, [f"read as {name}, not UTF-8: {path}" for path, name in report.encodings.items()], "more"
    )
    taken = {fate.path for fate in report.fates if fate.fate != "skipped"}
    whole = groupby((skip for skip in report.skips if skip.path not in taken), key=lambda skip: skip.path)
    lines = [f"nothing taken from {path}: {why_skipped(list(skips))}" for path, skips in whole]
    _say_first(console, lines, "more files")
    others = [skip for skip in report.skips if skip.path in taken]
    _say_first(
        console, [f"skipped: {skip.path}, record {skip.record}: {skip.reason}" for skip in others], "more"
    )


def _say_first(console: Console, lines: Sequence[str], what: str) -> None:
    for line in lines[:SHOWN_SKIPS]:
        say(console, line)
    if (more := len(lines) - SHOWN_SKIPS) > 0:
        say(console, f"… and {more} {what} (--report FILE lists them all)")


def why_skipped(skips: Sequence[Skipped]) -> str:
    """Return the reasons in words, the most frequent first, and of how many records each holds."""
    if len(skips) == 1:
        return skips[0].reason
    counts = Counter(skip.reason for skip in skips)
    told = "; ".join(f"{n} × {reason}" for reason, n in counts.most_common(SHOWN_REASONS))
    return f"{len(skips)} records: {told}" + ("; …" if len(counts) > SHOWN_REASONS else "")


def say(console: Console, message: str) -> None:
    """Print a message that may hold foreign text, such as a path: no markup is read, no control character kept.

    Its lines are left whole, so that a command in them can be copied from a narrow terminal.
    """
    console.print(Text(message.translate(CONTROLS)), highlight=False, soft_wrap=True)


def inert(text: str) -> str:
    """Return a text without the control characters that would act on a terminal, nor line ends."""
    return " ".join(text.translate(CONTROLS).split())


def safe_json(text: str) -> str:
    """Return a JSON text with the control characters that JSON lets stand as they are escaped: DEL, C1 and the like."""
    return text.translate(_ESCAPED)


def show_paper(console: Console, number: int, paper: Paper) -> None:
    """Print a paper under its number."""
    print_text(console, Text(f"[{number}] ", style="cyan").append(describe(paper)))


def show_merged(console: Console, paper: Paper, fates: Sequence[Fate]) -> None:
    """Print the records that became a paper, why, and what other versions said."""
    for fate in fates:
        why = f"merged: {fate.reason}" if fate.reason else "first"
        print_text(console, Text(f"    {fate.path}, record {fate.record} ({why})"))
    for version in paper.versions if fates else ():
        print_text(console, Text(f"    also: {version.title or paper.heading}. {_version(version)}"))


def describe(paper: Paper) -> Text:
    """Return a paper on one line: status, heading, authors, venue, year, id, versions; synopses are labelled."""
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
    """Return where and when other versions appeared."""
    told = (
        _where(version)
        for version in paper.versions
        if (version.venue, version.year) != (paper.venue, paper.year)
    )
    return list(dict.fromkeys(where for where in told if where))


def _where(version: Version) -> str:
    place = version.venue or ("arXiv" if version.arxiv_id else version.status)
    return " ".join(str(part) for part in (place, version.year) if part)


def _version(version: Version) -> str:
    ids = (version.doi, version.arxiv_id, version.pmid, version.status)
    return ", ".join(str(part) for part in (version.venue, version.year, *ids) if part)


def _authors(paper: Paper) -> str | None:
    if len(paper.authors) > 3:
        return f"{paper.authors[0]} et al."
    return (", ".join(paper.authors) + (" et al." if paper.more_authors else "")) or None


def _quotes_behind_prose(answer: Answer, paper: Paper) -> list[str]:
    """Return what prose cites of a paper, without what the answer quotes as a sentence of its own."""
    quoted = {c for sentence in answer.sentences if sentence.kind == "quote" for c in sentence.citations}
    prose = (sentence for sentence in answer.sentences if sentence.kind == "prose")
    cited = (c for sentence in prose for c in sentence.citations if c.paper_id == paper.id)
    return [c.quote for c in dict.fromkeys(cited) if c not in quoted]


def _shorten(text: str) -> str:
    return text if len(text) <= REASON_WIDTH else text[:REASON_WIDTH].rsplit(" ", 1)[0] + " …"


def print_text(console: Console, line: Text) -> None:
    """Print without reading markup or highlighting: texts of papers are data, and controls in them are struck."""
    line.plain = line.plain.translate(_STRUCK)
    console.print(line, highlight=False, soft_wrap=not console.is_terminal)
