import io
import time

import pytest
from rich.console import Console

from rag_qa.app.progress import progress_bar, reading, with_spinner
from rag_qa.types import Event, Hit, Paper, Passage

EVENTS = [Event(kind="hits"), Event(kind="sentence"), Event(kind="answer")]
HIDE_CURSOR = "\x1b[?25l"
SHOW_CURSOR = "\x1b[?25h"


def console(*, terminal):
    """A console that writes into memory."""
    return Console(file=io.StringIO(), force_terminal=terminal, width=60)


@pytest.mark.parametrize("terminal", [True, False])
def test_events_pass_unchanged(terminal):
    """A spinner changes nothing about the events of an answer."""
    assert list(with_spinner(iter(EVENTS), console(terminal=terminal))) == EVENTS


def test_the_spinner_is_gone_while_there_is_something_to_read():
    """A spinner turns while there is nothing to read, stops before each sentence, and is gone with the answer."""
    screen = console(terminal=True)
    written = screen.file.getvalue
    events = with_spinner(iter([*EVENTS[:2], Event(kind="sentence"), EVENTS[2]]), screen)
    next(events)
    assert (written().count(HIDE_CURSOR), written().count(SHOW_CURSOR)) == (1, 0)
    next(events)
    assert (written().count(HIDE_CURSOR), written().count(SHOW_CURSOR)) == (1, 1)
    next(events)
    assert (written().count(HIDE_CURSOR), written().count(SHOW_CURSOR)) == (2, 2)
    next(events)
    assert (written().count(HIDE_CURSOR), written().count(SHOW_CURSOR)) == (3, 3)
    shown = written()
    assert list(events) == []
    assert written() == shown


BAD = "\x1b]0;owned\x07 \x9b2J [bold]b[/] \u202e"


def test_what_is_found_and_written_is_shown_meanwhile():
    """Beside the spinner stand the first papers found, then the text as it grows; nothing acts on the terminal."""
    papers = [
        Paper(id=f"p{n}", title=f"Paper {n}{BAD if n == 2 else ''}", abstract="A.") for n in range(1, 6)
    ]
    passage = Passage(id="x", paper_id="p", text="A.", start=0, end=2)
    hits = tuple(
        Hit(paper=paper, passage=passage, score=1.0, rank=rank, components={})
        for rank, paper in enumerate(papers, 1)
    )
    screen = Console(file=io.StringIO(), force_terminal=True, width=200)
    steps = [
        (Event(kind="hits", hits=hits), "reading Paper 1; Paper 2"),
        (Event(kind="piece", piece="Bees "), "Bees"),
        (Event(kind="piece", piece=f"dance {BAD}"), "Bees dance"),
        (Event(kind="sentence"), ""),
        (Event(kind="piece", piece="They rest"), "They rest"),
        (EVENTS[2], ""),
    ]
    seen = []
    for _, shown in zip(
        with_spinner((event for event, _ in steps), screen), [text for _, text in steps], strict=True
    ):
        # The spinner's own thread draws; a text that it never draws runs into the time limit of tests.
        while shown not in screen.file.getvalue():
            time.sleep(0.01)
        seen.append(screen.file.getvalue())
        screen.file.truncate(0)
        screen.file.seek(0)
    assert "Paper 3" in seen[0]
    assert "Paper 4" not in seen[0]
    assert "[bold]b[/]" in seen[2]
    assert "Bees" not in seen[4]
    for text in seen:
        assert not set(text) & {"\x07", "\x9b", "\u202e"}
        assert "\x1b]0" not in text


def test_what_is_found_takes_one_line():
    """On a narrow screen the papers that are read are cut off at its edge."""
    paper = Paper(id="p", title="A title that is much longer than a narrow screen is wide", abstract="A.")
    passage = Passage(id="x", paper_id="p", text="A.", start=0, end=2)
    hit = Hit(paper=paper, passage=passage, score=1.0, rank=1, components={})
    assert reading([hit], 30).plain == "reading A title that is muc…"


def test_an_interrupt_gives_the_cursor_back():
    """If the answer is stopped early, the spinner goes too."""
    screen = console(terminal=True)
    events = with_spinner(iter(EVENTS), screen)
    next(events)
    events.close()
    assert SHOW_CURSOR in screen.file.getvalue()


def test_nothing_is_written_into_a_pipe():
    """If stderr is no terminal, neither spinner nor text as it is written nor bar writes anything."""
    pipe = console(terminal=False)
    list(with_spinner(iter([EVENTS[0], Event(kind="piece", piece="Bees"), *EVENTS[1:]]), pipe))
    with progress_bar(pipe) as tell:
        tell("embedding", 1, 2)
    assert pipe.file.getvalue() == ""


def test_a_bar_a_stage():
    """In a terminal each stage has its bar with how much is done of how much."""
    screen = console(terminal=True)
    with progress_bar(screen) as tell:
        tell("reading", 1, 1)
        tell("embedding", 1, 2)
        tell("embedding", 2, 2)
    written = screen.file.getvalue()
    assert "reading" in written
    assert "2/2" in written
