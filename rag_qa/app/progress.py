"""Progress on stderr if it is a terminal, else nothing: a bar for an index run, a spinner before an answer."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from rag_qa.app.printing import inert
from rag_qa.types import Event, Hit

if TYPE_CHECKING:
    from rag_qa.index.changes import Progress as Report

# Papers named while they are read.
FOUND = 3
# Columns of the spinner and the blank after it.
SPINNER_WIDTH = 2


@contextmanager
def progress_bar(console: Console) -> Iterator["Report"]:
    """Give a callback `(stage, done, total)` that draws one bar for each stage."""
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, speed="")
            bar.update(tasks[stage], completed=done, total=total)
            speed = bar.tasks[tasks[stage]].speed
            bar.update(tasks[stage], speed=f"{speed:.0f}/s" if speed else "")

        yield report


def reading(hits: Sequence[Hit], width: int) -> Text:
    """Return a line that names the first papers found, cut to the width of the screen."""
    text = Text(inert("reading " + "; ".join(hit.paper.heading for hit in hits[:FOUND])))
    text.truncate(max(1, width - SPINNER_WIDTH), overflow="ellipsis")
    return text


def with_spinner(events: Iterator[Event], console: Console) -> Generator[Event, None, None]:
    """Yield the events of an answer; meanwhile show a spinner, and beside it the words being written."""
    if not console.is_terminal:
        yield from events
        return
    written = ""
    with console.status("searching") as status:
        for event in events:
            if event.kind == "hits":
                status.update(reading(event.hits, console.width))
            written = written + event.piece if event.kind == "piece" else ""
            if written:
                status.update(Text(inert(written), style="dim"))
            if event.kind in ("sentence", "answer"):
                status.stop()
            yield event
            if event.kind == "sentence":
                status.update("writing")
                status.start()
