"""What a test without a mark may not do."""

import os
import socket
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run([sys.executable, "--version"], check=False),
        lambda: os.system("exit"),
        lambda: os.posix_spawn(sys.executable, [sys.executable, "--version"], {}),
    ],
    ids=["subprocess", "system", "spawn"],
)
def test_a_child_process_needs_a_mark(start):
    """A test that starts a child process fails, and the error names the mark that it lacks."""
    with pytest.raises(RuntimeError, match=r"test_a_child_process_needs_a_mark.* as `process`"):
        start()


@pytest.mark.process
def test_with_the_mark_a_child_process_starts():
    """The mark permits what it is named after."""
    assert subprocess.run([sys.executable, "-c", "raise SystemExit(7)"], check=False).returncode == 7


@pytest.mark.parametrize("name", ["torch", "llama_cpp"])
def test_a_model_runtime_needs_a_mark(monkeypatch, name):
    """The first import of torch or llama.cpp in a test without the mark fails."""
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(RuntimeError, match=r"as `model`"):
        __import__(name)


def test_no_socket_is_opened():
    """A test can reach no other machine, nor this one."""
    with pytest.raises(Warning, match="tried to use socket"):
        socket.create_connection(("127.0.0.1", 9))


@pytest.mark.process
def test_a_child_process_can_be_spoken_to():
    """Tests of child processes may use sockets of this machine, and of no other."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    with pytest.raises(Warning, match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80))
