"""The program as a whole: usage, errors in one line, and papers that try to act on the terminal."""

import shlex

import pytest
import typer

from rag_qa.app.cli import COMMANDS, app
from rag_qa.version import __version__

pytestmark = pytest.mark.usefixtures("papers_folder")
WHICH = "which papers discuss a competitive game?"


def test_the_version_is_printed(run):
    """`--version` prints name and version."""
    assert run("--version") == (0, f"rag-qa {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments", [["ask", WHICH], ["ask", WHICH, "--json"], ["search", "game"], ["search", "game", "--json"]]
)
def test_nothing_from_a_paper_acts_on_the_terminal(run, indexed, arguments):
    """Escapes in any field of a paper never reach stdout, and a pipe gets no colours."""
    _, out, _ = run(*arguments)
    assert not set(out) & {"\x1b", "\x9b", "\x07"}
    assert "owned" not in out


def test_markup_in_papers_is_printed_as_it_is(run, indexed):
    """What looks like rich markup, whole or broken, is text."""
    _, out, _ = run("ask", WHICH)
    assert "On [bold]markup[/] and [/]. markup" in out
    assert "[red]this[/red]" in out


def test_no_index_is_reported(run, fails_with):
    """Without an index, the message has the command that makes one."""
    fails_with(run("ask", WHICH), "rag-qa index SOURCE")
    fails_with(run("search", WHICH, "--index", "nowhere"), "nowhere")
    fails_with(run("chat", "--index", "nowhere"), "nowhere")


@pytest.mark.parametrize("command", [["ask", WHICH], ["index", "papers.jsonl"]])
def test_an_index_that_is_a_file_is_reported(run, fails_with, command):
    """A file where the index should be is an error, for readers and for writers."""
    fails_with(run(*command, "--index", "papers.jsonl"), "papers.jsonl")


@pytest.mark.parametrize("blank", ["", "  ", "\x1b[31m", "?!"])
@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_blank_question_is_reported(run, fails_with, indexed, command, blank):
    """A question without words is an error."""
    fails_with(run(command, blank), "the question is empty")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["index"], "nothing to index"),
        (["index", "papers.jsonl", "--format", "docx"], "There is no format 'docx'"),
        (["ask", WHICH, "--style", "poem"], "style cannot be 'poem'"),
        (["ask", WHICH, "--model", "nope"], "no generator called 'nope'"),
        (["ask", WHICH, "--model", "papers.jsonl", "--context", "5"], "context_tokens cannot be 5"),
        (["ask", WHICH, "--gpu-layers", "-5"], "gpu_layers cannot be -5"),
        (["ask", WHICH, "--prompts", "nowhere"], "there is no folder nowhere"),
        (["ask", "x" * 5000], "5000 characters"),
        (["search", "game", "-k", "5000"], "k cannot be 5000"),
        (["similar", "nobody"], "no paper 'nobody'; `rag-qa search WORDS`"),
        (["similar"], "give either a paper's id or a text"),
        (["similar", "markup", "--text-file", "papers.jsonl"], "give either a paper's id or a text"),
        (["similar", "--text-file", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["similar", "--text-file", "blank.txt"], "the text is empty"),
        (["similar", "--text-file", "long.txt"], "30000 characters"),
        (["eval", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_a_wrong_argument_is_reported(run, fails_with, indexed, arguments, words):
    """A wrong value is reported in one line with what to do, without a traceback."""
    (indexed / "blank.txt").write_text(" ?!\n")
    (indexed / "long.txt").write_text("word " * 5999 + "words")
    fails_with(run(*arguments), words)


@pytest.mark.parametrize(
    ("content", "words"),
    [("k = ", "not valid TOML"), ("kk = 1", "no setting kk"), ('k = "x"', "k cannot be 'x'")],
)
def test_a_broken_settings_file_is_reported(run, fails_with, indexed, content, words):
    """A rag_qa.toml that cannot be used is an error."""
    (indexed / "rag_qa.toml").write_text(content)
    fails_with(run("search", "game"), words)


def test_a_wrong_variable_is_reported(run, fails_with, indexed, monkeypatch):
    """The error for a wrong RAG_QA_ variable names it."""
    monkeypatch.setenv("RAG_QA_TEMPERATURE", "hot")
    fails_with(run("ask", WHICH), "RAG_QA_TEMPERATURE")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["ask"],
        ["search"],
        ["ask", WHICH, "--bogus"],
        ["ask", WHICH, "-k", "0"],
        ["search", "x", "-k", "a"],
    ],
)
def test_wrong_usage_is_status_2(run, arguments):
    """A command, argument or option that does not exist is a usage error on stderr."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: " in err
    assert "Traceback" not in err


def examples():
    """The lines of examples of every command."""
    for name, _, text in COMMANDS:
        lines = [line.strip() for line in text.splitlines() if line.strip().startswith("rag-qa ")]
        assert lines, name
        yield from ((name, line) for line in lines)


@pytest.mark.parametrize(("name", "line"), list(examples()))
def test_every_example_of_help_can_be_typed(name, line):
    """An example below a command's help is of that command, and all of its options and arguments are known."""
    _, first, *rest = shlex.split(line)
    assert first == name
    command = typer.main.get_command(app).commands[name]
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    command.make_context(name, rest)
