"""No command that is said to work offline opens a socket to other machines: the kernel ends a process that does.

`sealed.py` puts a filter on the process and on its children. Where the kernel lets it, they also run in a network
namespace of their own, without any network.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rag_qa.backends.agreement import remember_cosine
from rag_qa.backends.embedding import find_embedder
from rag_qa.backends.locating import STARTER
from rag_qa.settings import Settings

pytestmark = pytest.mark.process

SEALED = [sys.executable, str(Path(__file__).with_name("sealed.py"))]
NAMESPACE = ["unshare", "--map-root-user", "--net"]
ABSTRACT = "Games have players. Bees dance, and the players of games are vectors."
# A program that goes through a proxy would be ended for it, too.
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
OPENS = "import socket; socket.socket()"
WAYS = {
    "Python": OPENS,
    "C": "import ctypes; ctypes.CDLL(None).socket(10, 1, 0)",
    "a child": f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', '{OPENS}']).returncode)",
}


def can(*command):
    """Whether a command exists and ends well."""
    return (
        bool(shutil.which(command[0]))
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.fixture(scope="module")
def namespace():
    """The command that runs another one without a network; skips where the kernel does not let it."""
    if not can(*NAMESPACE, "true"):
        pytest.skip(
            "this kernel lets no user make a network namespace (`unshare --map-root-user --net true`)"
        )
    return NAMESPACE


@pytest.fixture(scope="module")
def seal():
    """The command that runs another one under the filter, and in a namespace where that can be."""
    if not can(*SEALED, "true"):
        pytest.skip("no seccomp filter for this system: the proof needs Linux on x86-64 or ARM64")
    return [*(NAMESPACE if can(*NAMESPACE, "true") else []), *SEALED]


@pytest.fixture
def watched(seal, tmp_path):
    """A function that runs a program under the filter and asserts that neither it nor a child opened a socket.

    A child's end could go unnoticed by its parent, so strace, where it is installed, lists the calls as well. It slows
    threads down several times, so `traced=False` leaves it out.
    """
    strace = ["strace", "-f", "-qq", "-e", "trace=socket", "-o", str(tmp_path / "calls")]
    tracing = strace if can(*strace, "true") else []
    tracing = [*seal[: -len(SEALED)], *tracing, *SEALED]

    def run(*command, env=None, given="", traced=True):
        used = tracing if traced else seal
        done = subprocess.run(
            [*used, *command],
            cwd=tmp_path,
            env=env,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        calls = (tmp_path / "calls").read_text().splitlines() if len(used) > len(seal) else []
        assert [call for call in calls if "socket(" in call and "AF_UNIX" not in call] == []
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_opens_a_socket_is_ended(way, watched, seal):
    """The filter ends it with SIGSYS, whether Python, C code or a child process asks; the test below would fail."""
    done = subprocess.run([*seal, sys.executable, "-c", WAYS[way]], capture_output=True, check=False)
    assert done.returncode in (-signal.SIGSYS, 256 - signal.SIGSYS, 128 + signal.SIGSYS)
    with pytest.raises(AssertionError):
        watched(sys.executable, "-c", WAYS[way])


def test_a_local_socket_is_none_of_a_network(watched):
    """What a library asks of this machine by a local socket, such as the name of the user, is let through."""
    assert (
        watched(sys.executable, "-c", "import socket; socket.socket(socket.AF_UNIX); print('done')")
        == "done\n"
    )


def test_a_child_that_is_ended_unnoticed_is_seen(watched):
    """A parent that ignores how its child ended does not hide it."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{OPENS}'])"
    with pytest.raises(AssertionError):
        watched(sys.executable, "-c", code)


def test_the_namespace_reaches_nothing(namespace):
    """In the namespace not even a server of this machine can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
        done = subprocess.run([*namespace, sys.executable, "-c", code], capture_output=True, check=False)
    assert b"unreachable" in done.stderr


def environment(folder, **changes):
    """The environment without settings of ours, with a home of the test's own, proxies, and the changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_QA_")}
    homes = {name: str(folder / name) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME")}
    return {**kept, **PROXIES, **homes, "RAG_QA_MIN_RELEVANCE": "0", "RAG_QA_MODEL": STARTER, **changes}


SESSION = [
    ["index", "papers.jsonl"],
    ["papers"],
    ["search", "games with players"],
    ["similar", "a"],
    ["cite", "a"],
    ["ask", "which papers discuss games?", "--style", "quote", "--save", "answer.json"],
    ["verify", "answer.json", "--index", "rag-qa-index"],
    ["chat", "--style", "quote"],
    ["doctor", "--index", "rag-qa-index"],
    ["models", "list"],
]


@pytest.fixture
def small(tmp_path, save_embedder, monkeypatch):
    """An environment with papers and a tiny embedder that needs no torch."""
    folder = save_embedder(tmp_path / "model", [ABSTRACT])
    env = environment(tmp_path, RAG_QA_EMBEDDER=str(folder))
    for name in ("XDG_CACHE_HOME", "RAG_QA_EMBEDDER"):
        monkeypatch.setenv(name, env[name])
    remember_cosine(folder, find_embedder(Settings())[1], 1.0)
    papers = [{"id": name, "title": f"Games {name}", "abstract": ABSTRACT} for name in "ab"]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)))
    return env


def test_no_command_opens_a_socket(small, watched):
    """Indexing, searching, answering in quotes, chatting and checking open none, by either kind of dense search."""
    for command in SESSION:
        assert watched(sys.executable, "-m", "rag_qa", *command, env=small, given="what are players?\n")
    graph = {**small, "RAG_QA_DENSE": "hnsw"}
    assert watched(sys.executable, "-m", "rag_qa", "search", "games", env=graph)


@pytest.mark.model
def test_the_models_open_no_socket(tmp_path, watched):
    """Nor do torch, which embeds the sample papers, and llama.cpp, which writes an answer."""
    env = environment(tmp_path, RAG_QA_MAX_TOKENS="40")
    program = (sys.executable, "-m", "rag_qa")
    assert watched(*program, "index", "--sample", env=env, traced=False)
    asked = ("ask", "What does dropout do during training?", "--style", "synthesis", "--json")
    answer = json.loads(watched(*program, *asked, env=env, traced=False))
    assert answer["provenance"]["generator"]
