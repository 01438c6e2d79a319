import io

import pytest
from rich.console import Console

from rag_qa.app.chat.screen import DraftLines, can_draft, unchecked, with_draft
from rag_qa.types import Event, Sentence, Verdict

WORDS = "Bees dance to tell each other where the flowers are, and rest at night when it is cold outside."


def console_of(terminal):
    """A console that writes into a terminal in memory, and always asks for its size."""

    class Sized(Console):
        size = property(lambda self: terminal_size(terminal))

    return Sized(file=terminal, force_terminal=True, color_system="standard", _environ={"TERM": "xterm"})


def terminal_size(terminal):
    from rich.console import ConsoleDimensions

    return ConsoleDimensions(terminal.width, terminal.height)


def piece_events(text):
    return [Event(kind="piece", piece=f" {word}") for word in text.split()]


def sentence_event(text):
    verdict = Verdict(label="supported", probability=1.0)
    return Event(kind="sentence", sentence=Sentence(text=text, kind="prose", citations=(), verdict=verdict))


@pytest.mark.parametrize("width", [10, 25, 60, 100])
@pytest.mark.parametrize("height", [2, 5, 20])
def test_words_appear_and_leave_nothing(terminal, width, height):
    """Words grow under what was printed, dim and whole where they fit, and nothing of them is left."""
    screen = terminal(width, height)
    screen.write("before\r\n")
    draft = DraftLines(console_of(screen))
    for end in range(1, len(WORDS) + 1):
        draft.show(WORDS[:end])
        shown = " ".join(screen.screen()[1:])
        assert shown
        assert WORDS[:end].replace(" ", "").endswith(shown.replace(" ", "").lstrip("…"))
    if height == 20:
        assert " ".join(screen.screen()[1:]) == WORDS
    assert {*WORDS} - {" "} <= screen.dim
    draft.close()
    assert screen.screen() == ["before", ""]


@pytest.mark.parametrize("narrow", [7, 13, 30])
def test_a_resize_leaves_nothing(terminal, narrow):
    """If the terminal becomes narrower, and wider again, while words are shown, nothing of them is left."""
    screen = terminal(60, 40)
    screen.write("before\r\n")
    draft = DraftLines(console_of(screen))
    for width in (60, narrow, 60, narrow):
        screen.resize(width)
        draft.show(WORDS)
    screen.resize(narrow + 3)
    draft.close()
    assert screen.screen() == ["before", ""]


def test_what_is_written_cannot_act_on_the_terminal(terminal):
    """Controls in what a model writes are struck."""
    screen = terminal(60, 20)
    DraftLines(console_of(screen)).show("a\x1b[2Jb\x9b2J \x07c\r\nd\u202e")
    assert screen.screen() == ["a[2Jb2J c d"]


def test_checked_sentences_take_the_place_of_words(terminal):
    """A sentence is printed where its words stood; the words after it are shown on, and those of no sentence go."""
    screen = terminal(60, 20)
    console = console_of(screen)
    seen = []
    events = [*piece_events("Bees dance. They lie. They rest."), sentence_event("Bees dance.")]
    events += [sentence_event("They rest."), Event(kind="answer")]
    for event in with_draft(iter(events), console, Console(file=io.StringIO())):
        if event.sentence:
            seen.append(screen.screen())
            console.print(event.sentence.text, highlight=False)
        if event.kind == "answer":
            seen.append(screen.screen())
    assert seen == [[""], ["Bees dance.", ""], ["Bees dance.", "They rest.", ""]]
    assert "They lie." in " ".join(screen.getvalue().split())


def test_an_interrupt_takes_the_words_away(terminal):
    """If an answer is stopped while it is written, nothing of it is left, and the cursor is back."""
    screen = terminal(60, 20)
    events = with_draft(iter(piece_events(WORDS)), console_of(screen), Console(file=io.StringIO()))
    for _ in range(5):
        next(events)
    assert screen.screen() == ["Bees dance to tell each"]
    events.close()
    assert screen.screen() == [""]
    assert screen.getvalue().endswith("\x1b[J")
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h")


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_dumb_terminal_shows_no_words(terminal, term):
    """A terminal that cannot move its cursor shows checked sentences alone."""
    screen = terminal(60, 20)
    console = Console(file=screen, force_terminal=True, _environ={"TERM": term})
    list(with_draft(iter(piece_events(WORDS)), console, Console(file=io.StringIO())))
    assert not can_draft(console)
    assert screen.getvalue() == ""


def test_a_pipe_shows_no_words(monkeypatch):
    """A pipe gets no words that are not checked, even where colours are forced."""
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    list(with_draft(iter(piece_events(WORDS)), console, Console(file=io.StringIO())))
    assert console.file.getvalue() == ""


@pytest.mark.parametrize(
    ("written", "sentence", "left"),
    [
        ("Bees dance. They rest.", "Bees dance.", "They rest."),
        ("bees  dance. They rest.", "Yes, bees dance.", "They rest."),
        (
            "it is a very long sentence on how bees dance. Yes.",
            "No, it is a very long sentence on how bees dance.",
            "Yes.",
        ),
        ("Bees dance. They lie. They rest.", "They rest.", ""),
        ("Bees dance.", "A quote that stands in.", "Bees dance."),
        ("", "Bees dance.", ""),
    ],
)
def test_words_that_are_not_checked_yet(written, sentence, left):
    """Words up to the end of a checked sentence are done with, however it began; else all are left."""
    assert unchecked(written, sentence) == left
