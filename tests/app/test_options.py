import pytest

from rag_qa.app.options import load_settings
from rag_qa.errors import SettingsError


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
