"""What every test stands on."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Let through a warning that Chroma 1.5 gives about itself for collections without an embedding function."""
    config.addinivalue_line("filterwarnings", "ignore:legacy embedding function config:DeprecationWarning")
