import pytest

from rag_qa.app.chat.completion import Completer
from rag_qa.app.chat.repl import take_turn
from rag_qa.app.chat.state import ChatState


@pytest.fixture
def completed(ask_games, terminal):
    """A function that returns a line with each of its completions in it."""
    from rich.console import Console

    chat = ChatState(ask_games(), Console(file=terminal(100, 40)))
    take_turn(chat, "which papers discuss a competitive game?")
    completer = Completer(chat)

    def complete(line):
        return [line[: len(line) - choice.length] + choice.text for choice in completer.choices(line)]

    return complete


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("/pap", ["/paper ", "/papers"]),
        ("/WH", ["/why "]),
        ("/help /si", ["/help /similar"]),
        ("/why ", ["/why 1", "/why 2"]),
        ("/why 3", []),
        ("/paper ", ["/paper 1", "/paper 2"]),
        ("/paper so", ["/paper soup"]),
        ("/open chess1", ["/open chess1"]),
        ("/papers x", []),
        ("/style ", ["/style auto", "/style quote", "/style synthesis"]),
        ("/copy m", ["/copy md"]),
        ("/filter a", ["/filter author="]),
        ("/filter o", ["/filter off"]),
        ("/filter year=2019 v", ["/filter year=2019 venue="]),
        ("/filter author=ge", ['/filter author="Ian Gemp"']),
        ('/filter author="ian g', ['/filter author="Ian Gemp"']),
        ("/filter author=alv", ['/filter author="Ana Álvarez"']),
        ("/filter venue=jour", ['/filter venue="Journal of Games"']),
        ("/filter venue=ic", ["/filter venue=ICLR"]),
        ("/filter year=202", ["/filter year=2021", "/filter year=2020"]),
        ("/filter without=retr", ["/filter without=retracted"]),
        ("/filter nonsense=x", []),
        ("which papers by Gem", ["which papers by Ian Gemp"]),
        ("which papers by Ian Ge", ["which papers by Ian Gemp"]),
        ("what was at Journal of Ga", ["what was at Journal of Games"]),
        ("which papers by ", []),
        ("", []),
        ("/", None),
    ],
)
def test_what_could_follow(completed, line, lines):
    """Commands, their arguments, filters, ids and names are completed; nothing is where nothing fits."""
    if lines is None:
        assert len(completed(line)) == 17
    else:
        assert completed(line) == lines


def test_files_are_completed(completed, tmp_path, monkeypatch):
    """Behind /save stand the files and folders that are there, and what a new name may end in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "one.md").touch()
    (tmp_path / "note.md").touch()
    (tmp_path / ".hidden").touch()
    assert completed("/save ") == ["/save note.md", "/save notes/"]
    assert completed("/save notes/") == ["/save notes/one.md"]
    assert completed("/save nothing/x") == []
    assert completed("/save new")[:2] == ["/save new.md", "/save new.json"]
    assert completed(f"/save {tmp_path}/note.") == [f"/save {tmp_path}/note.md"]


def test_choices_fit_a_menu(completed):
    """There are never more choices than somebody would read."""
    assert len(completed("/paper c")) == 8
