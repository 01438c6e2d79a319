import io

import pytest
from rich.console import Console

from rag_qa.app.progress import progress_bar, with_spinner
from rag_qa.types import Event

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


def test_the_spinner_is_gone_before_the_first_sentence():
    """A spinner turns while there is nothing to read, and the cursor is back when there is."""
    screen = console(terminal=True)
    events = with_spinner(iter(EVENTS), screen)
    next(events)
    assert HIDE_CURSOR in screen.file.getvalue()
    assert SHOW_CURSOR not in screen.file.getvalue()
    next(events)
    written = screen.file.getvalue()
    assert SHOW_CURSOR in written
    assert list(events) == EVENTS[2:]
    assert screen.file.getvalue() == written


def test_an_interrupt_gives_the_cursor_back():
    """Where the answer is stopped early, the spinner goes too."""
    screen = console(terminal=True)
    events = with_spinner(iter(EVENTS), screen)
    next(events)
    events.close()
    assert SHOW_CURSOR in screen.file.getvalue()


def test_nothing_is_written_into_a_pipe():
    """Where stderr is no terminal, neither spinner nor bar writes anything."""
    pipe = console(terminal=False)
    list(with_spinner(iter(EVENTS), pipe))
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
