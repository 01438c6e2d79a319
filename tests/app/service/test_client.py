"""The command line with a running service, which is a process of its own."""

import json
import os
import platform
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import rag_qa
from rag_qa.answering import assistant
from rag_qa.app.service.announcing import Announcement, announced, announcements
from rag_qa.app.service.client import find_service
from rag_qa.app.service.fingerprints import answer_fingerprint, search_fingerprint
from rag_qa.backends.locating import STARTER, ModelChoice
from rag_qa.settings import Settings
from rag_qa.testing import HashingEmbedder
from rag_qa.version import __version__

pytestmark = pytest.mark.process

PROGRAM = [sys.executable, str(Path(__file__).with_name("launcher.py"))]
WHICH = "which papers discuss a competitive game?"
SETTINGS = {"RAG_QA_MODEL": STARTER, "RAG_QA_MIN_RELEVANCE": "0", "RAG_QA_STYLE": "quote"}
TIMES = re.compile(r'("(?:search|evidence|total)": )[0-9.e-]+')


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder for what programs cache."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def service(built, home):
    """The address of a service of the index, with a token."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_QA_")}
    given = {
        "PYTHONPATH": str(Path(rag_qa.__file__).parents[1]),
        "XDG_CACHE_HOME": str(home),
        "RAG_QA_TOKEN": "a-token-of-some-length",
    }
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--index", str(built), "--port", "0"],
        env=kept | SETTINGS | given,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr.readline() == f"Loading {built} …\n"
        line = process.stderr.readline()
        address = re.search(r"http://\S+", line)
        assert address, line + process.stderr.read()
        yield address[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture(autouse=True)
def surroundings(home, tmp_path, monkeypatch):
    """The same cache, the same settings, and an embedder that must not be opened."""

    def refuse(settings):
        raise AssertionError("the work was done here")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(assistant, "open_embedder", refuse)


@pytest.fixture
def here(monkeypatch):
    """A function that lets work be done in this process."""
    return lambda: monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())


COMMANDS = [
    ["search", "a competitive game"],
    ["search", "a competitive game", "--json", "-k", "2", "--explain"],
    ["search", "game", "--year", "2014..2015", "--explain"],
    ["search", "game", "--since", "2016", "--venue", "ICLR", "--author", "Ian Gemp", "--json"],
    ["search", "game", "--author", "Nobody"],
    ["search", " "],
    ["similar", "eigengame"],
    ["similar", "eigengame", "--json", "-k", "1"],
    ["similar", "nobody"],
    ["similar", "--text-file", "draft.txt"],
    ["ask", WHICH],
    ["ask", WHICH, "--json"],
    ["ask", "What is the price of tea?", "--year", "2014"],
    ["ask", "papers by Nobody Whatsoever"],
    ["ask", "What is dropout?", "--literal", "--without", "retracted"],
    ["ask", " "],
    ["ask", "What is dropout?", "--author", "Nobody"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_printed_is_the_same(run, service, built, here, command, tmp_path):
    """A running service is used, and status, stdout and stderr are those of the work done here, but for times."""
    (tmp_path / "draft.txt").write_text("Players own eigenvectors.")
    remote = run(*command, "--index", str(built))
    here()
    local = run(*command, "--index", str(built), "--no-service")
    code, out, err = local
    assert (remote[0], TIMES.sub(r"\1", remote[1]), remote[2]) == (code, TIMES.sub(r"\1", out), err)


def test_a_saved_answer_is_whole(run, service, built, tmp_path):
    """An answer of a service can be saved and verified."""
    assert run("ask", WHICH, "--index", str(built), "--save", "answer.json")[0] == 0
    assert run("verify", "answer.json", "--index", str(built))[0] == 0


def test_the_file_is_the_users_alone(service, home):
    """Only the user may read the announcement, which names the secret."""
    (path,) = (home / "rag_qa" / "services").glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "flags", [["--no-service"], ["--style", "auto"], ["-k", "3"]], ids=lambda flags: flags[0]
)
def test_other_settings_are_answered_here(run, service, built, flags):
    """If flags differ from what the service was started with, or none is wanted, the work is done here."""
    with pytest.raises(AssertionError, match="the work was done here"):
        run("ask", WHICH, "--index", str(built), *flags)


def test_another_index_is_searched_here(run, service, tmp_path):
    """An index that the service does not have is left to this process."""
    with pytest.raises(AssertionError, match="the work was done here"):
        run("search", "game", "--index", str(tmp_path / "other"))


def test_the_page_of_a_service_with_a_token_is_closed(service):
    """The service of these tests refuses whoever has neither token nor secret."""
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{service}api/indexes")


# --- announcements that hold no more


@pytest.fixture
def announce(built, tmp_path, monkeypatch):
    """A function that announces a service in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def one(**changes):
        settings = Settings()
        fields = {
            "machine": platform.node(),
            "version": __version__,
            "host": "127.0.0.1",
            "port": 9,
            "secret": "secret",
            "indexes": {str(built.resolve()): "games"},
            "search": search_fingerprint(settings),
            "answers": {"": answer_fingerprint(settings)},
            "choice": ModelChoice(name=STARTER),
        }
        return announced(Announcement(**fields | changes))

    return one


def test_a_service_that_is_gone_is_forgotten(built, announce):
    """If nothing listens any more, the file is removed without a word, and there is no service."""
    with announce():
        assert len(list(announcements())) == 1
        assert find_service(built, Settings(), answers=True) is None
        assert list(announcements()) == []


def test_a_stranger_at_the_port_is_not_trusted(built, announce, quoting):
    """Another program that listens at the port does not know the secret, so it is not asked."""
    with announce(port=quoting.base_url.port):
        assert find_service(built, Settings(), answers=True) is None
        assert list(announcements()) == []


@pytest.mark.parametrize(
    "changes", [{"version": "0"}, {"indexes": {}}, {"answers": {}}, {"machine": "other"}], ids=str
)
def test_what_does_not_fit_is_left_alone(built, announce, changes):
    """A service of another version, index, machine or of other settings is not asked, and its file stays."""
    with announce(**changes):
        path = next(Path(os.environ["XDG_CACHE_HOME"]).rglob("*.json"))
        assert find_service(built, Settings(), answers=True) is None
        assert path.exists()


def test_an_unreadable_file_is_no_error(built, announce):
    """A file that is none of ours is passed over."""
    with announce():
        folder = next(Path(os.environ["XDG_CACHE_HOME"]).rglob("*.json")).parent
        (folder / "0.json").write_text(json.dumps({"secret": 1}))
        assert find_service(built, Settings(), answers=True) is None


def test_fingerprints_tell_settings_apart(tmp_path, monkeypatch):
    """Search depends on its own settings, an answer on all; a path means another file in another folder."""
    settings = Settings()
    assert search_fingerprint(settings) == search_fingerprint(settings.model_copy(update={"seed": 1, "k": 3}))
    assert search_fingerprint(settings) != search_fingerprint(settings.model_copy(update={"rerank_depth": 3}))
    assert answer_fingerprint(settings) != answer_fingerprint(settings.model_copy(update={"seed": 1}))
    by_model = settings.model_copy(update={"reranker": "model"})
    assert search_fingerprint(by_model) != search_fingerprint(by_model.model_copy(update={"threads": 7}))
    assert search_fingerprint(settings) == search_fingerprint(settings.model_copy(update={"threads": 7}))
    by_path = settings.model_copy(update={"embedder": "mine"})
    found = set()
    for name in ("a", "b"):
        (tmp_path / name / "mine").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        found.add(search_fingerprint(by_path))
    assert len(found) == 2
