import io
import json
from textwrap import dedent

import pytest
from rich.console import Console

from rag_qa import Assistant, Settings, build_index
from rag_qa.app.chat.commands import HELP
from rag_qa.app.chat.repl import chat_with
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder

PAPERS = [
    (
        "eigengame",
        "EigenGame",
        "We present principal component analysis as a competitive game of eigenvectors.",
    ),
    ("auction", "On auctions", "An auction is a competitive game in which players bid for goods."),
    ("soup", "On soup", "Soup is made of water and vegetables. It is best when it is eaten hot."),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A folder with an index of three papers."""
    folder = tmp_path_factory.mktemp("chat")
    rows = [dict(zip(("id", "title", "abstract"), paper, strict=True)) for paper in PAPERS]
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    return folder / "index"


@pytest.fixture
def assistant(library):
    """An assistant in quotes over the three papers."""
    settings = Settings(
        model=STARTER, style="quote", min_relevance=0.0, listed_papers=2, evidence_sentences=1
    )
    with Assistant.open(library, settings=settings, embedder=HashingEmbedder()) as opened:
        yield opened


class Interrupted:
    """An assistant whose answer to a question with "slow" in it is interrupted after its first sentence."""

    def __init__(self, assistant):
        self.papers = assistant.papers
        self.asked = []
        self._assistant = assistant

    def stream(self, question, *, history=(), filter=None, literal=False):
        self.asked.append((question, len(history)))
        for event in self._assistant.stream(question, history=history):
            yield event
            if "slow" in question and event.kind == "sentence":
                raise KeyboardInterrupt


def transcript(assistant, *lines):
    """What a session with these lines prints."""
    console = Console(file=io.StringIO(), width=40)
    chat_with(assistant, console, iter(lines))
    return console.file.getvalue()


def test_a_session_word_for_word(assistant):
    """Questions, a follow-up, /papers, an unknown command, blank lines and /quit print exactly this."""
    said = transcript(
        assistant,
        "which papers discuss a competitive game?\n",
        "and the second one?\n",
        "",
        "   \n",
        "/papers",
        "/nonsense [bold]x[/bold]",
        "/quit",
        "never asked",
    )
    assert said == dedent(
        """\
        \u201cAn auction is a competitive game in which players bid for goods.\u201d [1]
        \u201cWe present principal component analysis as a competitive game of eigenvectors.\u201d [2]

        [1] On auctions. auction
        [2] EigenGame. eigengame

        Understood as: and the second one? (of \u201cEigenGame\u201d)
        \u201cWe present principal component analysis as a competitive game of eigenvectors.\u201d [1]

        [1] EigenGame. eigengame

        [1] EigenGame. eigengame

        There is no command /nonsense; /help lists them.

        """
    )


def test_help_is_shown_whole(assistant):
    """/help prints every command, unwrapped."""
    assert transcript(assistant, "/help") == f"{HELP}\n\n"


def test_papers_before_any_question_counts_them(assistant):
    """/papers before a question says how many papers there are."""
    assert transcript(assistant, "/papers") == "The index holds 3 papers.\n\n"


@pytest.mark.parametrize("word", ["/quit", "/exit", "quit", "EXIT", " /quit "])
def test_words_that_leave(assistant, word):
    """/quit and /exit leave, and so do the bare words that people type."""
    assert transcript(assistant, word, "what is soup?") == ""


def test_the_session_ends_with_its_lines(assistant):
    """The end of the input ends the session, as Ctrl-D does."""
    assert transcript(assistant) == ""


def test_a_told_error_does_not_end_the_session(assistant):
    """A question that cannot be asked is reported in one line, and the next is answered."""
    said = transcript(assistant, "?!", "what is soup made of?")
    assert said.startswith("the question is empty; ask something in words\n\n\u201cSoup is made of")


def test_a_place_that_does_not_exist_is_reported(assistant):
    """ "The seventh one" of two papers is reported, and the session continues."""
    said = transcript(assistant, "which papers discuss a competitive game?", "the seventh one?", "/help")
    assert "the last answer shows 2 papers, no number 7" in said
    assert said.endswith(f"{HELP}\n\n")


def test_an_interrupt_stops_the_answer_and_not_the_session(assistant):
    """Ctrl-C ends an answer where it is, is said, leaves no turn behind, and the next question works."""
    interrupted = Interrupted(assistant)
    said = transcript(interrupted, "what is slow soup made of?", "what is soup made of?")
    first, second = said.split("(stopped)\n\n")
    assert first.count("\n") == 1
    assert "[1] On soup. soup" in second
    assert interrupted.asked == [("what is slow soup made of?", 0), ("what is soup made of?", 0)]


def test_each_turn_is_remembered(assistant):
    """Every answer, abstentions too, becomes history for the next question; commands do not."""
    interrupted = Interrupted(assistant)
    transcript(interrupted, "what is soup?", "/papers", "what is an auction?", "and soup?")
    assert [count for _, count in interrupted.asked] == [0, 1, 2]


def test_a_bug_is_not_hidden(assistant):
    """An error that is not ours passes through: a bug keeps its traceback."""

    class Broken:
        def stream(self, question, *, history=(), filter=None, literal=False):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transcript(Broken(), "what is soup?")


def test_piped_lines_are_read_from_standard_input(assistant, monkeypatch):
    """Without a terminal, lines come from standard input after a greeting."""
    monkeypatch.setattr("sys.stdin", io.StringIO("/papers\n/quit\n"))
    console = Console(file=io.StringIO())
    chat_with(assistant, console)
    assert console.file.getvalue() == (
        "Ask the papers. /help shows the commands.\nThe index holds 3 papers.\n\n"
    )


def test_literal_questions_know_no_turns_before(assistant):
    """After /literal a question refers to nothing; after it once more, follow-ups are understood again."""
    lines = ("which papers discuss soup?", "/literal", "is it eaten hot?", "/literal", "what is it made of?")
    said = transcript(assistant, *lines)
    assert said.count("Understood as") == 1
    assert "Understood as: what is it made of? (of \u201cOn soup\u201d)" in said
