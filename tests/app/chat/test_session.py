import json
import stat

import pytest

from rag_qa.app.chat.session import Session, SessionEntry, find_session, read_session, saved_sessions
from rag_qa.errors import SessionError
from rag_qa.types import Filter

QUESTION = "which papers discuss a competitive game of eigenvectors?"
SOUP = "which papers discuss soup?"


@pytest.fixture
def session(sessions, games):
    """A session that is not begun yet."""
    return Session(sessions, games, warn=pytest.fail)


@pytest.fixture
def kept(ask_games, transcript, session, sessions):
    """The path of a session of two turns."""
    transcript(ask_games(), QUESTION, SOUP, session=session)
    return sessions / f"{session.name}.jsonl"


def test_each_turn_is_saved_as_it_ends(kept, ask_games, games, sessions):
    """A session holds its turns whole, in a file and a folder that only its user reads."""
    saved = find_session("last", games, sessions)
    assert [answer.question for answer in saved.turns] == [QUESTION, SOUP]
    fresh = ask_games().ask(QUESTION)
    assert saved.turns[0].model_dump(exclude={"timings"}) == fresh.model_dump(exclude={"timings"})
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(sessions.stat().st_mode) == 0o700
    assert not saved.damaged


def test_a_conversation_without_turns_leaves_no_file(ask_games, transcript, session, sessions):
    """Nothing is written before something happened."""
    transcript(ask_games(), "/papers", "/help", session=session)
    assert saved_sessions(sessions) == []


def test_what_was_undone_and_set_is_kept(ask_games, transcript, session, games, sessions):
    """Turns taken back are gone after a resumption; a filter and /literal are as they were."""
    lines = (QUESTION, SOUP, "/undo", "/filter year=2019", SOUP, "/retry", "/literal")
    transcript(ask_games(), *lines, session=session)
    saved = find_session(session.name, games, sessions)
    assert [answer.question for answer in saved.turns] == [QUESTION, SOUP]
    assert (saved.filter, saved.literal) == (Filter(since=2019, until=2019), True)


def test_a_follow_up_is_understood_after_a_resumption(kept, ask_games, transcript, games, sessions):
    """A conversation continues from its saved turns, and its new turns are saved in the same file."""
    saved = find_session("last", games, sessions)
    again = Session(sessions, games, warn=pytest.fail, name=saved.header.id)
    said = transcript(ask_games(), "is it best when hot?", turns=saved.turns, session=again)
    assert "(of “On soup”)" in said
    assert len(read_session(kept).turns) == 3
    assert saved_sessions(sessions) == [kept.stem]


@pytest.mark.parametrize("cut", [1, 30, 2000])
def test_a_damaged_last_line_is_dropped(kept, games, sessions, cut):
    """A last line that was not written to its end counts for nothing, and the next turn is saved after the others."""
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-cut])
    saved = find_session("last", games, sessions)
    assert saved.damaged
    assert [answer.question for answer in saved.turns] == [QUESTION]
    Session(sessions, games, warn=pytest.fail, name=kept.stem).add(SessionEntry(literal=True))
    again = read_session(kept)
    assert (len(again.turns), again.literal, again.damaged) == (1, True, False)


def test_a_whole_last_line_that_is_no_record_is_dropped(kept, games, sessions):
    """A last line of rubbish is dropped too."""
    kept.write_bytes(kept.read_bytes() + b"\x00\xff rubbish\n")
    saved = find_session("last", games, sessions)
    assert (saved.damaged, len(saved.turns)) == (True, 2)
    assert not find_session("last", games, sessions).damaged


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: [lines[0], b"rubbish", *lines[1:]], "line 2 of .* is damaged; remove that line"),
        (lambda lines: [], "is not a saved conversation"),
        (lambda lines: [b"[1]", *lines[1:]], "is not a saved conversation"),
        (lambda lines: [lines[0].replace(b'"session_version": 1', b'"session_version": 2')], "newer rag_qa"),
    ],
)
def test_what_cannot_be_resumed(kept, change, says):
    """Damage before the last line, another file and a newer one are errors that say what to do."""
    kept.write_bytes(b"".join(line + b"\n" for line in change(kept.read_bytes().splitlines())))
    with pytest.raises(SessionError, match=says):
        read_session(kept)


def test_another_index_is_refused(kept, sessions, tmp_path):
    """A session is not resumed with another index, and the error names its own."""
    with pytest.raises(SessionError, match=r"belongs to the index .*; resume it with --index .*games"):
        find_session(kept.stem, tmp_path / "other", sessions)
    with pytest.raises(SessionError, match="no conversation with the index"):
        find_session("last", tmp_path / "other", sessions)


def test_sessions_go_by_the_beginning_of_their_names(kept, games, sessions):
    """The beginning of a name will do if only one has it; an unknown name is an error with the nearest."""
    assert find_session(kept.stem[:-1], games, sessions).header.id == kept.stem
    (sessions / f"{kept.stem}-2.jsonl").write_bytes(kept.read_bytes())
    assert find_session(kept.stem, games, sessions).header.id == kept.stem
    with pytest.raises(SessionError, match="2 sessions begin with"):
        find_session(kept.stem[:4], games, sessions)
    with pytest.raises(SessionError, match=f"did you mean {kept.stem}"):
        find_session(f"x{kept.stem}", games, sessions)
    with pytest.raises(SessionError, match=r"there is no session '\.\./"):
        find_session("../../etc/passwd", games, sessions)


def test_two_sessions_of_one_second(games, sessions, ask_games):
    """Sessions that begin in the same second have files of their own."""
    for _ in range(3):
        Session(sessions, games, warn=pytest.fail).add(SessionEntry(literal=True))
    assert len(saved_sessions(sessions)) == 3


def test_what_cannot_be_saved_is_said_once(games, tmp_path, ask_games, transcript):
    """If no file can be written, that is said once, and the conversation continues."""
    (tmp_path / "file").touch()
    said = []
    session = Session(tmp_path / "file" / "sessions", games, warn=said.append)
    assert transcript(ask_games(), QUESTION, SOUP, "/papers", session=session).count("[1] On soup") == 2
    assert len(said) == 1
    assert "this conversation is not saved" in said[0]
    assert session.name is None


def test_lines_are_ascii(kept):
    """Nothing in a session acts on a terminal that shows the file."""
    lines = kept.read_bytes().decode("ascii").splitlines()
    assert json.loads(lines[0])["session_version"] == 1
    assert len(lines) == 3
