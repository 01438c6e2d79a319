import json
import re

import httpx
import pytest

from rag_qa import Answer, Assistant, Hit, Paper, Settings
from rag_qa.answering.receipts.write import write_receipt
from rag_qa.app.service.gate import BODY_LIMIT
from rag_qa.app.service.listening import listen
from rag_qa.backends.locating import STARTER
from rag_qa.errors import SettingsError
from rag_qa.testing import HashingEmbedder, QueuedGenerator

STREAM = {"Accept": "text/event-stream"}
TOKEN = "a-token-of-some-length"
PROSE = "Principal component analysis is presented as a competitive game of players."
WHAT = "What is principal component analysis?"
WHICH = "which papers discuss a competitive game?"


def is_problem(response, status, words):
    """The response has the status, our shape of errors, and a message that holds the words."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert words in error["message"]


def ask(client, question=WHICH, **fields):
    """The response to a question."""
    return client.post("/api/ask", json={"question": question, **fields})


def untimed(answer):
    """An answer without what differs from run to run."""
    return answer.model_copy(update={"timings": {}})


@pytest.fixture(scope="module")
def local(built):
    """An assistant over the same index, in this process."""
    settings = Settings(model=STARTER, style="quote", min_relevance=0.0)
    with Assistant.open(built, settings=settings, embedder=HashingEmbedder()) as assistant:
        yield assistant


# --- what works


def test_the_indexes_are_listed(quoting):
    """`/api/indexes` gives name, number of papers, language model and style of each index."""
    assert quoting.get("/api/indexes").json() == [
        {"name": "games", "papers": 3, "model": None, "style": "quote"}
    ]


def test_search_gives_what_search_json_prints(quoting, local):
    """`/api/search` finds what the assistant finds, in the fields of `search --json`, and k of them."""
    found = quoting.get("/api/search", params={"q": "a competitive game", "k": 2}).json()
    hits = local.search("a competitive game", 2)
    assert [(row["paper_id"], row["score"]) for row in found] == [(hit.paper.id, hit.score) for hit in hits]
    assert set(found[0]) == {"paper_id", "title", "status", "score", "components"}


def test_search_gives_whole_hits_and_reasons(quoting, local):
    """With `full` come whole hits, with `explain` the reasons why each was found."""
    found = quoting.get("/api/search", params={"q": "a game", "full": True, "explain": True}).json()
    hits = local.search("a game")
    assert [Hit.model_validate(hit) for hit in found["hits"]] == hits
    assert [reason["paper_id"] for reason in found["reasons"]] == [hit.paper.id for hit in hits]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"year": "2014..2015"}, {"hostile", "dropout"}),
        ({"since": 2020}, {"eigengame"}),
        ({"venue": ["ICLR"], "author": ["Ian Gemp", "McWilliams"]}, {"eigengame"}),
    ],
)
def test_filters_hold(quoting, filters, ids):
    """Search and questions take the filters of the command line, those of names repeatedly."""
    found = quoting.get("/api/search", params={"q": "game", **filters}).json()
    assert {row["paper_id"] for row in found} == ids
    answer = ask(quoting, "which papers present networks, games or eigenvectors?", **filters).json()
    assert {paper["id"] for paper in answer["papers"]} <= ids


def test_similar_papers_are_found(quoting, local):
    """`/api/similar` gives the papers like a paper, or like a text that is posted."""
    found = quoting.get("/api/similar", params={"paper_id": "eigengame"}).json()
    assert [row["paper_id"] for row in found] == [hit.paper.id for hit in local.similar("eigengame")]
    posted = quoting.post("/api/similar", json={"text": "Players own eigenvectors.", "k": 1}).json()
    assert [row["paper_id"] for row in posted] == ["eigengame"]


def test_a_paper_is_given_by_its_id(quoting, local):
    """`/api/papers/ID` gives the whole paper."""
    assert Paper.model_validate_json(quoting.get("/api/papers/eigengame").content) == local.paper("eigengame")


def test_an_answer_is_that_of_the_assistant(quoting, local):
    """`/api/ask` gives the JSON of `ask --json`."""
    answer = Answer.model_validate_json(ask(quoting).content)
    assert untimed(answer) == untimed(local.ask(WHICH))


def test_an_answer_streams(built, serving, events_of):
    """As events come the hits, the pieces, each checked sentence and last the answer with its conversation."""
    with serving(built, generator=QueuedGenerator([PROSE])) as client:
        response = client.post("/api/ask", json={"question": WHAT}, headers=STREAM)
    assert response.headers["content-type"].startswith("text/event-stream")
    names = [name for name, _ in events_of(response)]
    assert (names[0], set(names[1:-2]), names[-2:]) == ("hits", {"piece"}, ["sentence", "answer"])
    datas = [data for _, data in events_of(response)]
    assert {"hits", "query"} == set(datas[0])
    assert "".join(data["piece"] for data in datas[1:-2]).strip() == PROSE
    assert Answer.model_validate(datas[-1]["answer"]).sentences[0].text == PROSE
    assert datas[-1]["conversation"]


def test_quotes_do_not_wait_for_the_model(built, serving, stepped):
    """While the model writes, search and questions in quotes are answered."""
    generator = stepped([PROSE])
    with (
        serving(built, generator=generator) as client,
        client.stream("POST", "/api/ask", json={"question": WHAT}, headers=STREAM) as writing,
    ):
        generator.begun.wait()
        assert client.get("/api/search", params={"q": "game"}).status_code == 200
        assert ask(client, style="quote").json()["sentences"]
        generator.steps.release(99)
        assert "event: answer" in writing.read().decode()


def test_a_conversation_goes_on(quoting):
    """A question that looks back is understood by the id of its conversation, and by the answers before it."""
    first = ask(quoting, "What does dropout remove?")
    key = first.headers["rag-qa-conversation"]
    assert [paper["id"] for paper in first.json()["papers"]] == ["dropout"]
    for before in ({"conversation": key}, {"history": [first.json()]}):
        again = ask(quoting, "When was it published?", **before)
        assert again.json()["sentences"][0]["kind"] == "metadata"
        assert "2014" in again.json()["sentences"][0]["text"]
    assert again.headers["rag-qa-conversation"] != key


def test_an_answer_need_not_be_kept(quoting):
    """With `keep` false an answer begins no conversation."""
    assert "rag-qa-conversation" not in ask(quoting, keep=False).headers


def test_answers_are_checked(quoting, local, tmp_path):
    """`/api/verify` checks an answer, and a receipt byte by byte, and against an index that is named."""
    answer = ask(quoting).json()
    checks = quoting.post("/api/verify", json=answer).json()
    assert {check["status"] for check in checks} == {"ok"}
    assert "file" not in {check["name"] for check in checks}
    answer["sentences"][0]["text"] = "Something else."
    assert "fail" in {check["status"] for check in quoting.post("/api/verify", json=answer).json()}
    write_receipt(local.ask(WHICH), tmp_path / "receipt.json")
    sealed = (tmp_path / "receipt.json").read_bytes()
    for body, status in ((sealed, "ok"), (sealed + b" ", "fail")):
        found = quoting.post("/api/verify", params={"index": "games"}, content=body).json()
        assert {check["name"]: check["status"] for check in found}["file"] == status
    is_problem(quoting.post("/api/verify", content=b"[]"), 400, "neither an answer nor a receipt")
    is_problem(
        quoting.post("/api/verify", content=b'{"receipt_version": 1}'), 400, "the receipt is no whole receipt"
    )


def test_answers_are_exported(quoting):
    """`/api/export` gives an answer, or what it cites, as a file; an unknown format is reported."""
    answer = ask(quoting).json()
    bib = quoting.post("/api/export", json={"answer": answer, "format": "bib"})
    assert "@" in bib.text
    assert bib.headers["content-disposition"] == 'attachment; filename="answer.bib"'
    assert (
        "bib"
        in quoting.post("/api/export", json={"answer": answer, "format": "doc"}).json()["error"]["message"]
    )


def test_an_updated_index_is_noticed(build_papers, serving, tmp_path):
    """What an update adds is found by the next request, in the list of indexes too."""
    paper = {"id": "new", "title": "Chess", "abstract": "Chess engines search trees of moves deeply."}
    folder = build_papers(tmp_path / "growing", [{**paper, "id": "old", "title": "Go"}])
    with serving(folder) as client:
        assert [row["paper_id"] for row in client.get("/api/search", params={"q": "chess"}).json()] == ["old"]
        more = [{**paper, "id": "old", "title": "Go"}, {**paper, "abstract": "Rooks and bishops take pawns."}]
        build_papers(folder, more)
        found = client.get("/api/search", params={"q": "rooks"}).json()
        assert {row["paper_id"] for row in found} == {"old", "new"}
        assert client.get("/api/indexes").json()[0]["papers"] == 2


def test_indexes_of_one_name_get_numbers(build_papers, serving, tmp_path, built):
    """Several indexes go by the names of their folders, and by numbers after names that are taken."""
    (tmp_path / "other").mkdir()
    other = build_papers(
        tmp_path / "other" / "games", [{"id": "x", "abstract": "Chess engines search trees deeply."}]
    )
    with serving(built, other) as client:
        assert [index["name"] for index in client.get("/api/indexes").json()] == ["games", "games-2"]
        found = client.get("/api/search", params={"q": "chess", "index": "games-2"}).json()
        assert [row["paper_id"] for row in found] == ["x"]
        is_problem(client.get("/api/search", params={"q": "chess", "index": "no"}), 404, "games, games-2")


# --- what is refused


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"question": "  "}, 400, "the question is empty"),
        ({"question": "game " * 1000}, 400, "at most 4000"),
        ({"question": WHICH, "nonsense": 1}, 422, "nonsense"),
        ({}, 422, "question"),
        ({"question": WHICH, "year": "soon"}, 400, "'soon' is not a year"),
        ({"question": WHICH, "author": "Nobody"}, 400, "Nobody"),
        ({"question": WHICH, "index": "no"}, 404, "name one of games"),
        ({"question": WHICH, "style": "synthesis"}, 400, "no language model writes here"),
        ({"question": WHICH, "conversation": "gone"}, 404, "not kept any more"),
    ],
)
def test_what_cannot_be_asked_is_reported(quoting, fields, status, words):
    """Whatever is wrong with a question is reported with its status, in one shape."""
    is_problem(quoting.post("/api/ask", json=fields), status, words)


def test_what_cannot_be_found_is_reported(quoting):
    """Unknown papers, routes, parameters and unreadable bodies are reported in the same shape."""
    is_problem(quoting.get("/api/papers/nobody"), 404, "no paper 'nobody'")
    is_problem(quoting.get("/api/similar", params={"paper_id": "nobody"}), 400, "no paper 'nobody'")
    is_problem(quoting.get("/api/nothing"), 404, "/openapi.json")
    is_problem(quoting.delete("/api/ask"), 405, "/openapi.json")
    is_problem(quoting.get("/api/search", params={"q": "game", "bad": 1}), 422, "bad")
    is_problem(quoting.get("/api/search", params={"q": "game", "k": 0}), 422, "k")
    is_problem(
        quoting.post("/api/ask", content=b"{", headers={"Content-Type": "application/json"}), 422, "JSON"
    )


def test_an_error_in_a_stream_is_an_event(quoting, events_of):
    """What goes wrong once a stream has begun comes as its last event."""
    response = quoting.post("/api/ask", json={"question": WHICH, "author": "Nobody"}, headers=STREAM)
    (name, data), *rest = events_of(response)
    assert (response.status_code, name, rest) == (200, "error", [])
    assert data["error"]["code"] == "FilterError"


def test_a_bug_is_reported_without_its_details(built, serving, broken, events_of):
    """A bug is answered as one, with its details in the log alone, and the service continues."""
    with serving(built, generator=broken) as client:
        response = ask(client, WHAT)
        streamed = client.post("/api/ask", json={"question": WHAT}, headers=STREAM)
        assert client.get("/api/search", params={"q": "game"}).status_code == 200
    is_problem(response, 500, "something went wrong")
    (name, data) = events_of(streamed)[-1]
    assert (name, data["error"]["code"]) == ("error", "bug")
    assert "private" not in response.text + streamed.text


def test_a_large_body_is_refused(quoting):
    """A body beyond the limit is refused, whether its length is stated or not."""
    body = b" " * (BODY_LIMIT + 1)
    is_problem(quoting.post("/api/ask", content=body), 413, "larger than")
    is_problem(quoting.post("/api/ask", content=iter([body])), 413, "larger than")


def test_a_full_queue_is_reported(built, serving, stepped):
    """Beyond the questions that may wait, one is refused with the time to come again, and counted."""
    generator = stepped([PROSE] * 3)
    with serving(built, generator=generator, limit=1) as client:
        post = {"method": "POST", "url": "/api/ask", "json": {"question": WHAT}, "headers": STREAM}
        with client.stream(**post) as first:
            generator.begun.wait()
            with client.stream(**post) as second:
                refused = ask(client, WHAT)
                is_problem(refused, 503, "are waiting already")
                assert int(refused.headers["retry-after"]) >= 1
                metrics = client.get("/metrics").text
                generator.steps.release(99)
                assert "event: answer" in second.read().decode()
            assert "event: answer" in first.read().decode()
    assert 'rag_qa_refused_total{status="503"} 1.0' in metrics
    assert 'rag_qa_queue_length{lane="writing"} 1.0' in metrics


@pytest.mark.parametrize("headers", [STREAM, {}], ids=["stream", "json"])
def test_a_client_that_leaves_stops_the_model(built, serving, stepped, headers):
    """If a client closes its connection the text is closed, and the next question is answered."""
    generator = stepped([PROSE, PROSE])
    with serving(built, generator=generator) as client:
        with httpx.Client(base_url=client.base_url, timeout=0.5 if not headers else 30) as other:
            post = {"method": "POST", "url": "/api/ask", "json": {"question": WHAT}, "headers": headers}
            if headers:
                with other.stream(**post):
                    generator.begun.wait()
            else:
                with pytest.raises(httpx.ReadTimeout):
                    other.request(**post)
                assert generator.begun.is_set()
        while not generator.closed.is_set():
            generator.steps.release()
            generator.closed.wait(0.05)
        assert len(generator.replies) == 1
        generator.steps.release(99)
        assert ask(client, WHAT).json()["sentences"]


def test_other_sites_and_names_are_refused(quoting):
    """A foreign host name and a foreign origin are refused before anything is done."""
    is_problem(quoting.get("/api/indexes", headers={"Host": "evil.example"}), 421, "127.0.0.1")
    is_problem(
        quoting.post("/api/ask", json={"question": WHICH}, headers={"Origin": "http://evil.example"}),
        403,
        "another site",
    )


def test_a_token_is_needed_where_there_is_one(built, serving):
    """With a token requests need it; the page takes it once from its address and gets a cookie instead."""
    with serving(built, token=TOKEN) as client:
        is_problem(client.get("/api/indexes"), 401, "Authorization: Bearer")
        assert client.get("/api/indexes").headers["www-authenticate"] == "Bearer"
        assert client.get("/api/indexes", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client.get("/healthz").json()["status"] == "ok"
        assert client.get("/", params={"token": "wrong"}).status_code == 401
        assert client.get("/api/indexes", params={"token": TOKEN}).status_code == 401
        entered = client.get("/", params={"token": TOKEN})
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert client.get("/api/indexes").status_code == 200


def test_other_machines_are_let_in_with_a_token_alone():
    """An address that others reach is not listened at without a token of some length."""
    for token in (None, "short"):
        with pytest.raises(SettingsError, match="--token"):
            listen("0.0.0.0", 0, token)


def test_a_port_in_use_is_reported():
    """A port that another program has is reported with what to do."""
    with listen("127.0.0.1", 0, None) as taken, pytest.raises(SettingsError, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1], None)


# --- for browsers, machines and operators


def test_browsers_are_reported_what_they_may(quoting):
    """Every response has the headers that keep a browser from loading anything from elsewhere."""
    for response in (
        quoting.get("/api/indexes"),
        quoting.get("/nothing"),
        quoting.get("/", headers={"Host": "evil"}),
    ):
        assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"


def test_what_acts_on_a_terminal_is_escaped(build_papers, serving, tmp_path):
    """No response holds control characters of a paper as they are."""
    paper = {
        "id": "x",
        "title": "On \x1b[31m \x9b2J games",
        "abstract": "A game of \x9b2J terminals and parsers.",
    }
    with serving(build_papers(tmp_path / "controls", [paper])) as client:
        body = client.get("/api/search", params={"q": "game", "full": True}).text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", body)


def test_metrics_count(built, serving):
    """`/metrics` counts responses by route, method and status, and the seconds of each stage of answers."""
    with serving(built) as client:
        ask(client)
        client.get("/api/papers/eigengame")
        client.get("/api/papers/nobody")
        client.get("/anything/else")
        lines = client.get("/metrics").text.splitlines()
    assert 'rag_qa_requests_total{method="POST",route="/api/ask",status="200"} 1.0' in lines
    for status in (200, 404):
        route = "/api/papers/{paper_id:path}"
        assert f'rag_qa_requests_total{{method="GET",route="{route}",status="{status}"}} 1.0' in lines
    assert 'rag_qa_stage_seconds_count{stage="total"} 1.0' in lines
    assert not [line for line in lines if "anything" in line]


def test_the_interface_is_described(quoting):
    """The OpenAPI document describes every route with a summary, its answer and its errors."""
    document = quoting.get("/openapi.json").json()
    operations = [o for path in document["paths"].values() for o in path.values()]
    assert len(operations) >= 13
    for operation in operations:
        assert operation["summary"]
        assert {"200", "400", "401", "404", "413", "503"} <= set(operation["responses"])
    schemas = document["components"]["schemas"]
    assert {"Answer", "Paper", "Sentence", "Completion", "ErrorBody", "AskBody"} <= set(schemas)
    assert json.dumps(document).count("127.0.0.1") == 0
