"""`rag-qa mcp`, asked by the SDK's own client: over standard streams and over HTTP."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import anyio
import pytest

from rag_qa import Assistant, Settings, build_index
from rag_qa.answering import assistant
from rag_qa.answering.verdict.model import Verifier
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder, QueuedGenerator

pytestmark = pytest.mark.process

LAUNCHER = Path(__file__).parent / "mcp_launcher.py"
ROOT = Path(__file__).parents[3]
TEXT = "We let forty loaves rise in the dark. Light made no difference to the height of bread."
RECORDS = [
    {"id": "rise", "title": "Light and bread", "abstract": TEXT, "doi": "10.5555/a", "year": 2021},
    {
        "id": "crumbs",
        "title": "RETRACTED: On crumbs",
        "abstract": "Crumbs of bread were counted on nine tables of one household.",
        "authors": ["Wilma Weaver"],
        "year": 2019,
    },
]
# Far beyond what it takes; only a test that fails waits for so long.
WAIT_S = 60
TOKEN = "a-token-that-nobody-guesses"
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "RAG_QA_MODEL": STARTER,
    "RAG_QA_MIN_RELEVANCE": "0",
    "PYTHONWARNINGS": "ignore",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """A folder with the index of two records."""
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, RECORDS)))
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    return folder / "index"


@contextmanager
def serving(index, *arguments):
    """A server over HTTP in a child process; gives the address that it names."""
    command = [
        sys.executable,
        LAUNCHER,
        "mcp",
        "--index",
        index,
        "--style",
        "quote",
        "--http",
        "0",
        *arguments,
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as server:
        try:
            line = server.stderr.readline()
            yield line
        finally:
            server.terminate()
            server.stderr.read()


def over_stdio(index, talk):
    """Let a client talk to a server in a child process over its standard streams."""
    from mcp import Client, StdioServerParameters

    async def converse():
        parameters = StdioServerParameters(
            command=sys.executable,
            args=[str(LAUNCHER), "mcp", "--index", str(index), "--style", "quote"],
            env=ENVIRONMENT,
        )
        async with Client(parameters) as client:
            return await talk(client)

    return anyio.run(converse)


def over_http(address, talk):
    """Let a client that has the token talk to a server over HTTP."""
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async def converse():
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return await talk(client)

    return anyio.run(converse)


async def use_every_tool(client):
    """Call each tool once; return what each gave, structured, and the texts."""
    calls = {
        "search_papers": {"query": "loaves in the dark"},
        "ask_papers": {"question": "does light matter for the height of bread?", "year": "2020.."},
        "get_paper": {"paper_id": "10.5555/a"},
        "verify": {
            "sentence": "Light made no difference to the height of bread.",
            "evidence": [
                {"paper_id": "rise", "quote": "Light made no difference to the height of bread."},
                {"paper_id": "rise", "quote": "Light made all the difference."},
            ],
        },
        "cite": {"paper_ids": ["crumbs"], "format": "bib"},
    }
    results = {name: await client.call_tool(name, arguments) for name, arguments in calls.items()}
    assert not any(result.is_error for result in results.values()), results
    return (
        {name: result.structured_content for name, result in results.items()},
        {name: result.content[0].text for name, result in results.items()},
    )


def check_every_tool(values, texts):
    """The tools gave what the index holds."""
    assert values["search_papers"]["papers"][0]["paper_id"] == "rise"
    assert "[rise] (2021). Light and bread." in texts["search_papers"]
    answer = values["ask_papers"]
    assert not answer["abstained"]
    assert {citation["paper_id"] for s in answer["sentences"] for citation in s["citations"]} == {"rise"}
    assert all(c["quote"] == TEXT[c["start"] : c["end"]] for s in answer["sentences"] for c in s["citations"])
    assert texts["ask_papers"].startswith("# does light matter")
    assert values["get_paper"]["abstract"] == TEXT
    assert values["verify"]["verdict"]["label"] == "supported"
    assert [quote["stands"] for quote in values["verify"]["quotes"]] == [True, False]
    assert "Not in rise: “Light made all the difference.”" in texts["verify"]
    assert texts["cite"].startswith("@misc{weaver2019retracted,")


def test_every_tool_over_standard_streams(index):
    """A client that starts the program finds the five tools with their schemas, and each does its work."""

    async def talk(client):
        listed = (await client.list_tools()).tools
        return listed, *await use_every_tool(client)

    listed, values, texts = over_stdio(index, talk)
    assert [tool.name for tool in listed] == ["search_papers", "ask_papers", "get_paper", "verify", "cite"]
    assert all(tool.output_schema["type"] == "object" and tool.description for tool in listed)
    check_every_tool(values, texts)
    assert str(index.parent) not in json.dumps(values), "a path of this machine"


def test_errors_are_those_of_the_tool(index):
    """What cannot be done is an error that says what to do, and the server continues."""

    async def talk(client):
        calls = [
            ("get_paper", {"paper_id": "crumb"}),
            ("search_papers", {"query": " "}),
            ("search_papers", {"query": "bread", "year": "soon"}),
            ("cite", {"paper_ids": ["rise"], "format": "docx"}),
            ("search_papers", {"query": "bread", "k": 0}),
            ("get_paper", {"paper_id": "rise"}),
        ]
        return [await client.call_tool(name, arguments) for name, arguments in calls]

    *failed, last = over_stdio(index, talk)
    assert all(result.is_error for result in failed)
    assert not last.is_error
    texts = [result.content[0].text for result in failed]
    assert "did you mean crumbs?" in texts[0]
    assert "write 2020, 2019..2022" in texts[2]
    assert "choose one of bib, ris, csl, text" in texts[3]


def test_words_of_progress_come_while_an_answer_is_made(index):
    """A client that asks for progress gets each sentence once it is checked."""
    messages = []

    async def talk(client):
        async def note(progress, total, message):
            messages.append(message)

        return await client.call_tool(
            "ask_papers", {"question": "does light matter for bread?"}, progress_callback=note
        )

    answer = over_stdio(index, talk).structured_content
    assert messages == [sentence["text"] for sentence in answer["sentences"]] != []


class EndlessGenerator(QueuedGenerator):
    """A model that writes on until it is stopped; `began` and `stopped` are set then."""

    def __init__(self):
        super().__init__([])
        self.began, self.stopped = Event(), Event()

    def generate(self, prompt, *, grammar, max_tokens, temperature, seed):
        """Yield words until the iterator is closed."""
        try:
            while True:
                self.began.set()
                yield "light "
        finally:
            self.stopped.set()


def test_a_client_that_leaves_stops_the_model(index):
    """If a client gives up its question, the model stops writing, and the next call is served."""
    from mcp import Client

    from rag_qa.app.mcp_tools import make_server

    model, embedder = EndlessGenerator(), HashingEmbedder()
    settings = Settings(model=STARTER, style="synthesis", min_relevance=0.0)

    async def leave(client):
        async with anyio.create_task_group() as asking:
            asking.start_soon(client.call_tool, "ask_papers", {"question": "does light matter for bread?"})
            assert await anyio.to_thread.run_sync(model.began.wait, WAIT_S)
            asking.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(model.stopped.wait, WAIT_S)
        return await client.call_tool("get_paper", {"paper_id": "rise"})

    async def converse(opened):
        async with Client(make_server(opened, Verifier(embedder))) as client:
            return await leave(client)

    with Assistant.open(index, settings=settings, embedder=embedder, generator=model) as opened:
        assert not anyio.run(converse, opened).is_error


def test_every_tool_over_http(index):
    """The same tools serve over HTTP whoever shows the token, and nobody else."""
    with serving(index, "--token", TOKEN) as line:
        address = re.search(r"http://127\.0\.0\.1:\d+/mcp", line)[0]
        assert TOKEN not in line
        check_every_tool(*over_http(address, use_every_tool))
        for shown in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(address, data=b"{}", headers=shown))
            with refused.value as response:
                assert response.code == 401
                assert b"Authorization: Bearer TOKEN" in response.read()


def test_a_token_is_made_where_none_is_given(index):
    """Without --token the server makes one, and says it with its address on stderr alone."""
    with serving(index) as line:
        token = line.split()[-1]
    assert len(token) >= 32


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--index", "nowhere"], "rag-qa index"),
        (["--http", "0", "--token", "short"], "a --token of at least 16"),
    ],
)
def test_what_keeps_it_from_starting_is_reported(run, tmp_path, monkeypatch, arguments, words):
    """One line on stderr, status 1, and nothing on stdout, which belongs to the protocol."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_QA_MODEL", STARTER)
    monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())
    code, out, err = run("mcp", "--style", "quote", *arguments)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert words in err
