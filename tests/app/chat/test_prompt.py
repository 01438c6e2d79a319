import io

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from rag_qa.app.chat.prompt import open_prompt
from rag_qa.app.chat.state import ChatState


@pytest.fixture
def typed(ask_games):
    """A function that returns the texts that keys give, until there are no more keys."""

    def type_keys(keys, count=1):
        chat = ChatState(ask_games(), Console(file=io.StringIO()))
        with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
            keyboard.send_text(keys)
            ask = open_prompt(chat, keep=False)
            return [ask() for _ in range(count)]

    return type_keys


@pytest.mark.parametrize(
    ("keys", "texts"),
    [
        ("what is soup?\r", ["what is soup?"]),
        ("what is\\\rsoup?\r", ["what is\nsoup?"]),
        ("what is\x1b\rsoup?\r", ["what is\nsoup?"]),
        ("\x1b[200~what is\nsoup?\x1b[201~\r", ["what is\nsoup?"]),
        ("one\rtwo\r", ["one", "two"]),
    ],
    ids=["enter", "backslash", "escape", "paste", "two"],
)
def test_enter_ends_a_text_but_after_a_backslash(typed, keys, texts):
    """Enter ends a text; after a backslash, after Esc, and in what is pasted, it begins another line."""
    assert typed(keys, len(texts)) == texts


def test_ctrl_d_leaves(typed):
    """Ctrl-D on an empty line is the end of the input."""
    with pytest.raises(EOFError):
        typed("\x04")


def test_ctrl_c_drops_the_line(typed):
    """Ctrl-C drops what is typed."""
    with pytest.raises(KeyboardInterrupt):
        typed("what is\x03")
