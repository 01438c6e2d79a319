"""What every test stands on."""

import sys

import pytest

from rag_qa.app.cli import main


def pytest_configure(config: pytest.Config) -> None:
    """Let through a warning that Chroma 1.5 gives about itself for collections without an embedding function."""
    config.addinivalue_line("filterwarnings", "ignore:legacy embedding function config:DeprecationWarning")


@pytest.fixture
def run(monkeypatch, capsys):
    """A function that runs `rag-qa` with arguments and returns its exit code, stdout and stderr."""

    def run_one(*arguments):
        monkeypatch.setattr(sys, "argv", ["rag-qa", *arguments])
        code = 0
        try:
            main()
        except SystemExit as exc:
            code = exc.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run_one
