import io

import pytest

from rag_qa.answering import assistant
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder

QUESTION = "which papers discuss a competitive game of eigenvectors?"


@pytest.fixture
def chat(run, games, monkeypatch):
    """A function that runs `rag-qa chat` over the games with options, and lines from a pipe."""
    monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())
    monkeypatch.setenv("RAG_QA_MIN_RELEVANCE", "0")
    monkeypatch.setenv("RAG_QA_MODEL", STARTER)

    def run_chat(*arguments, lines=()):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return run("chat", "--index", str(games), *arguments)

    return run_chat


def test_a_conversation_goes_on(chat):
    """--resume shows the last turn of the last conversation, and a follow-up is understood."""
    chat(lines=["which papers discuss soup?"])
    code, out, err = chat("--resume", lines=["is it best when hot?"])
    assert (code, err) == (0, "")
    assert "continues after 1 question.\n\n> which papers discuss soup?\n“Soup is made of" in out
    assert "(of “On soup”)" in out
    assert "continues after 2 questions." in chat("--resume", "last")[1]


def test_sessions_are_listed(chat, sessions):
    """--sessions lists what can be resumed, the last first, with how to; a name of it resumes."""
    assert chat("--sessions") == (0, "No conversation is saved yet; `rag-qa chat` begins one.\n", "")
    chat(lines=[QUESTION])
    name = next(sessions.iterdir()).stem
    code, out, err = chat("--sessions")
    assert (code, err) == (0, "")
    assert out == (
        f"{name}  1 question: {QUESTION}\nContinue with `rag-qa chat --resume {name}`; they are files in {sessions}.\n"
    )
    assert f"Session {name} continues after 1 question." in chat("--resume", name)[1]


def test_a_damaged_session_is_listed_as_one(chat, sessions):
    """A file that cannot be read does not keep the others from being listed."""
    chat(lines=[QUESTION])
    (sessions / "x.jsonl").write_text("rubbish\n")
    out = chat("--sessions")[1]
    assert "is not a saved conversation" in out
    assert f": {QUESTION}\n" in out


def test_a_damaged_last_line_is_said_to_be_dropped(chat, sessions):
    """Resuming a session that was not written to its end says so once."""
    chat(lines=[QUESTION, "which papers discuss soup?"])
    path = next(sessions.iterdir())
    path.write_bytes(path.read_bytes()[:-9])
    assert chat("--resume")[1].startswith(
        "The last line of the session was damaged and was removed.\nSession "
    )
    assert chat("--resume")[1].startswith("Session ")


def test_no_history_leaves_nothing(chat, sessions):
    """--no-history saves no conversation."""
    chat("--no-history", lines=[QUESTION])
    assert not sessions.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--resume"], "no conversation with the index"),
        (["--resume", "nonsense"], "there is no session 'nonsense'"),
        (["nonsense"], "to continue a session: rag-qa chat --resume nonsense"),
    ],
)
def test_what_cannot_be_resumed_is_one_line(chat, arguments, says):
    """A session that is not there is an error in one line that says what to do."""
    code, out, err = chat(*arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert says in err


def test_a_filter_that_is_given_wins(chat):
    """The filter of a saved conversation is kept, unless another is given."""
    chat(lines=["/filter year=2019", "which papers discuss soup?"])
    assert "Only papers from 2019.\n\n" in chat("--resume", lines=["/filter"])[1]
    assert chat("--resume", "--year", "2020", lines=["/filter"])[1].endswith("Only papers from 2020.\n\n")


def test_style_and_model_change(chat):
    """/style and /model open another assistant; if that fails, the old one stays."""
    code, out, err = chat(
        "--style",
        "quote",
        lines=["/style", "/style auto", "/model", "/model nonsense", QUESTION, "/model"],
    )
    assert (code, err) == (0, "")
    assert (
        "Answers are verbatim quotes.\n\nAnswers are quoted or written, as suits the language model." in out
    )
    assert "There is no generator called 'nonsense'" in out
    assert "“We present principal component analysis" in out
    assert out.endswith(f"The language model is {STARTER}.\n\n")
