"""Sockets to serve on, and the token that other machines need."""

from contextlib import closing

import pytest

from rag_qa.app.service.listening import address_of, listen
from rag_qa.errors import SettingsError

TOKEN = "a-token-of-some-length"


def test_a_free_port_has_an_address():
    """Port 0 is any that is free, and the address names the one taken."""
    with closing(listen("127.0.0.1", 0, None)) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        assert address_of(listener) == f"http://127.0.0.1:{port}/"
        assert address_of(listener, "/mcp") == f"http://127.0.0.1:{port}/mcp"


@pytest.mark.parametrize("token", [None, "", "short"])
def test_other_machines_need_a_long_token(token):
    """An address that others can reach is refused without a long token, and the error suggests one."""
    with pytest.raises(SettingsError, match="a --token of at least 16 characters, such as "):
        listen("0.0.0.0", 0, token)


def test_a_port_in_use_is_an_error_that_names_the_flags():
    """A port that another program has is an error that names the flags to change."""
    with closing(listen("127.0.0.1", 0, TOKEN)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} .*; name another with --http"):
            listen("127.0.0.1", port, TOKEN, flags="--http")
