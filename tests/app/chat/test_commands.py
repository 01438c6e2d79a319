import pytest

from rag_qa.app.chat.commands import COMMANDS, HELP, find_command
from rag_qa.errors import CommandError


def test_help_names_every_command_in_sixty_columns():
    """/help has a line for every command, and none is wider than a narrow terminal."""
    assert all(f"\n  {command.name}" in HELP for command in COMMANDS)
    assert max(map(len, HELP.splitlines())) <= 60


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_one_command(ask_games, transcript, command):
    """/help COMMAND, with or without its slash, says how it is written and what it does."""
    said = transcript(ask_games(), f"/help {command.name}", f"/help {command.name[1:].upper()}")
    assert said.count(f"{command.usage}: {command.help}.") == 2


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/sav x", "/save"),
        ("/paperz", "/paper"),
        ("/PAPRS", "/papers"),
        ("/similiar 1", "/similar"),
        ("/hlep", "/help"),
    ],
)
def test_near_misses(ask_games, transcript, typed, meant):
    """A command that is nearly one says which may be meant."""
    name = typed.split()[0]
    assert (
        transcript(ask_games(), typed)
        == f"There is no command {name} (did you mean {meant}?); /help lists them.\n\n"
    )


def test_case_does_not_matter(ask_games, transcript):
    """Commands are known in any case."""
    assert transcript(ask_games(), "/Papers") == "The index holds 11 papers.\n\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/paper", "Say which paper, by its number on the screen or its id: /paper 1"),
        ("/similar", "Say which paper, by its number on the screen or its id: /similar 1"),
        ("/open", "Say which paper, by its number on the screen or its id: /open 1"),
        ("/papers 3", "/papers takes nothing after it; write /papers"),
        ("/undo all", "/undo takes nothing after it; write /undo"),
        ("/why", "There is no answer yet; ask a question first."),
        ("/more", "There is no answer yet; ask a question first."),
        ("/retry", "There is no answer yet; ask a question first."),
        ("/undo", "There is no answer yet; ask a question first."),
        ("/copy", "There is no answer yet; ask a question first."),
        ("/save x", "There is no answer to save yet."),
        ("/help zebra", "There is no command zebra; /help lists them."),
        (
            "/style quotes",
            "There is no style quotes (did you mean quote?); write /style auto|quote|synthesis.",
        ),
        ("/style quote", "This cannot be changed here; leave with /quit and open another assistant."),
        ("/filter nonsense", "'nonsense' is not a filter; a filter is year"),
    ],
)
def test_every_command_says_what_to_do(ask_games, transcript, line, said):
    """A command whose argument is wrong or missing, or that comes too soon, says what to do instead."""
    assert transcript(ask_games(), line).startswith(said)


def test_a_line_end_parts_a_command_like_a_blank(ask_games, transcript):
    """A command may be typed on several lines."""
    assert transcript(ask_games(), "/help\n/undo") == transcript(ask_games(), "/help /undo")


def test_only_commands_are_found():
    """What is no command is never taken for one."""
    with pytest.raises(CommandError):
        find_command("/")
