"""Options that commands share, and the settings that flags make."""

from inspect import signature

import pytest
import typer
from typer.testing import CliRunner

from rag_qa.app.options import (
    FILTER_OPTIONS,
    MODEL_OPTIONS,
    Flags,
    load_settings,
    with_filter,
    with_model_flags,
)
from rag_qa.errors import SettingsError
from rag_qa.settings import Settings
from rag_qa.types import EVERY_PAPER, Filter


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory, in which a test may write rag_qa.toml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_flag_that_was_not_given_leaves_the_default():
    """None means that the flag was left out."""
    assert load_settings(style=None, k=3).k == 3
    assert load_settings(style=None).style == "auto"


def test_a_wrong_flag_is_reported_with_where_it_can_be_set():
    """The message names the setting, the value and the three places it can come from."""
    with pytest.raises(
        SettingsError, match=r"style cannot be 'bad': .* the flag, RAG_QA_STYLE or rag_qa.toml"
    ):
        load_settings(style="bad")


def test_a_wrong_variable_is_reported(monkeypatch):
    """A wrong value in the environment is reported like a wrong flag."""
    monkeypatch.setenv("RAG_QA_K", "many")
    with pytest.raises(SettingsError, match=r"setting k cannot be 'many': .*RAG_QA_K"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"k = ", "not valid TOML .* correct that line"),
        (b'style = "\xff"', "cannot be read .* UTF-8"),
        (b"sytle = 'quote'", r"no setting sytle \(did you mean style\?\)"),
        (b"zzz = 1", "no setting zzz; change that line"),
        (b"[k]\nx = 1", "setting k cannot be"),
        (b"temperature = 9", "temperature cannot be 9"),
    ],
)
def test_a_wrong_file_is_reported(folder, content, message):
    """The error for a rag_qa.toml that cannot be read, or has an unknown setting, says what to change."""
    (folder / "rag_qa.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def received(*flags, command):
    """What a command received from some flags."""
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, list(flags))
    assert result.exit_code == 0, result.output


def test_filter_options_come_as_one_filter():
    """A command with the filter options receives the filter that they describe."""
    got = []

    @with_filter
    def command(k: int = 1, *, filter: Filter) -> None:
        got.append((k, filter))

    received("--k", "3", "--since", "2019", "--author", "Gemp", "--author", "Rus", command=command)
    received(command=command)
    assert got == [(3, Filter(since=2019, authors=("Gemp", "Rus"))), (1, EVERY_PAPER)]


def test_model_options_come_as_flags_of_settings():
    """A command with the options of the model receives them by the names of settings, None if not given."""
    got = []

    @with_model_flags
    def command(*, flags: Flags) -> None:
        got.append(flags)

    received("--context", "2048", "--strict", command=command)
    assert got[0].keys() == set(MODEL_OPTIONS) <= set(Settings.model_fields)
    assert {name: value for name, value in got[0].items() if value is not None} == {
        "context_tokens": 2048,
        "strict": True,
    }


def test_groups_may_be_combined():
    """A command may take both groups; help lists every option once, where the argument stood."""

    @with_filter
    @with_model_flags
    def command(*, filter: Filter, literal: bool = False, flags: Flags) -> None: ...

    names = list(signature(command).parameters)
    assert names == [*FILTER_OPTIONS, "literal", *MODEL_OPTIONS]
