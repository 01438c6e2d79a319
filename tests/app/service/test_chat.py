import json
import subprocess

import openai
import pytest

from rag_qa.app.rendering import Marks
from rag_qa.app.service.chat_text import said
from rag_qa.testing import QueuedGenerator
from rag_qa.types import Citation, Event, Sentence, Verdict

PROSE = "Principal component analysis is presented as a competitive game of players."
WHAT = "What is principal component analysis?"
QUOTE = "We present principal component analysis as a competitive game [7]."
WHICH = "which papers discuss a competitive game?"


def user(text):
    """A message of the user's."""
    return {"role": "user", "content": text}


@pytest.fixture(scope="module")
def connect():
    """A function that gives OpenAI's own client of a service."""
    clients = []

    def one(client):
        clients.append(openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="unused", max_retries=0))
        return clients[-1]

    yield one
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def chat(quoting, connect):
    """OpenAI's own client of a service that answers in quotes."""
    return connect(quoting)


def test_indexes_are_models(chat):
    """The models are the first index and each index by name."""
    assert [model.id for model in chat.models.list()] == ["rag-qa", "rag-qa/games"]
    assert chat.models.retrieve("rag-qa/games").owned_by == "rag_qa"


def test_a_completion_has_text_usage_and_citations(built, serving, connect):
    """A completion holds the sentences with marks and the quotes behind them, the usage, and the citations as data."""
    with serving(built, generator=QueuedGenerator([PROSE])) as client:
        done = connect(client).chat.completions.create(model="rag-qa", messages=[user(WHAT)])
    text = done.choices[0].message.content
    assert text.startswith(f"{PROSE} [1]")
    assert f"“{QUOTE}”" in text
    assert "[1] EigenGame: PCA as a Nash Equilibrium." in text
    assert done.choices[0].finish_reason == "stop"
    assert done.usage.prompt_tokens > 0
    assert done.usage.completion_tokens == len(PROSE.split())
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens
    assert [(c["mark"], c["paper_id"], c["quote"], c["sentence"]) for c in done.citations] == [
        (1, "eigengame", QUOTE, PROSE)
    ]


def test_a_stream_gives_the_same_text(chat):
    """A stream begins with the role, gives the same text in parts, and ends with the reason, citations and usage."""
    whole = chat.chat.completions.create(model="rag-qa/games", messages=[user(WHICH)])
    stream = chat.chat.completions.create(
        model="rag-qa/games", messages=[user(WHICH)], stream=True, stream_options={"include_usage": True}
    )
    *chunks, ending, usage = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len(chunks) > 2
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == whole.choices[0].message.content
    assert ending.choices[0].finish_reason == "stop"
    assert ending.citations == whole.citations
    assert (usage.choices, usage.usage) == ([], whole.usage)


@pytest.mark.process
def test_curl_reads_a_stream(quoting):
    """With curl a stream is lines of data that end with [DONE]."""
    body = json.dumps({"model": "rag-qa", "messages": [user(WHICH)], "stream": True})
    url = f"{quoting.base_url}/v1/chat/completions"
    command = ["curl", "-sN", url, "-H", "Content-Type: application/json", "-d", body]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line for line in out.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"


def test_the_messages_before_are_the_conversation(chat):
    """A question that looks back is understood by the answer that the words of the conversation so far had."""
    messages = [{"role": "system", "content": "Be brief."}, user("What does dropout remove?")]
    first = chat.chat.completions.create(model="rag-qa", messages=messages)
    messages += [
        {"role": "assistant", "content": first.choices[0].message.content},
        user("When was it published?"),
    ]
    assert (
        "2014" in chat.chat.completions.create(model="rag-qa", messages=messages).choices[0].message.content
    )


def test_an_unknown_conversation_is_no_error(chat):
    """If an answer before is not one that was given here, the question is answered all the same."""
    messages = [user("What is dropout?"), {"role": "assistant", "content": "Invented."}, user(WHICH)]
    text = chat.chat.completions.create(model="rag-qa", messages=messages).choices[0].message.content
    assert "[1]" in text


def test_a_refusal_is_a_completion(chat):
    """If the papers don't say, the text says so."""
    asked = chat.chat.completions.create(
        model="rag-qa", messages=[user("How many papers by Nobody Whatsoever are there?")]
    )
    assert asked.choices[0].message.content.startswith("The papers don't say:")
    assert asked.citations == []


def test_our_own_options_are_obeyed(chat):
    """Filters stand under `rag_qa` in the body."""
    done = chat.chat.completions.create(
        model="rag-qa", messages=[user(WHICH)], extra_body={"rag_qa": {"year": "2020"}}
    )
    assert {citation["paper_id"] for citation in done.citations} == {"eigengame"}


def test_a_message_may_have_parts(chat):
    """The text of a message may come in parts."""
    parts = [{"type": "text", "text": WHICH}]
    done = chat.chat.completions.create(model="rag-qa", messages=[{"role": "user", "content": parts}])
    assert done.citations


def test_errors_are_openais(chat):
    """What is wrong is raised by OpenAI's client as the error that it is, with our words."""
    create = chat.chat.completions.create
    with pytest.raises(openai.NotFoundError, match="name one of games") as unknown:
        create(model="rag-qa/no", messages=[user(WHICH)])
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError, match="/v1/models"):
        create(model="gpt", messages=[user(WHICH)])
    with pytest.raises(openai.BadRequestError, match="the question is empty"):
        create(model="rag-qa", messages=[user(" ")])
    with pytest.raises(openai.BadRequestError, match="end with a question"):
        create(model="rag-qa", messages=[user(WHICH), {"role": "assistant", "content": "Yes."}])
    with pytest.raises(openai.UnprocessableEntityError, match=r"n: "):
        create(model="rag-qa", messages=[user(WHICH)], n=2)
    with pytest.raises(openai.APIError, match="Nobody"):
        list(
            create(
                model="rag-qa",
                messages=[user(WHICH)],
                stream=True,
                extra_body={"rag_qa": {"author": "Nobody"}},
            )
        )


def test_the_token_is_the_api_key(built, serving):
    """A service with a token takes it as the API key, and refuses another."""
    token = "a-token-of-some-length"
    with serving(built, token=token) as client:
        for key in (token, "wrong"):
            with openai.OpenAI(base_url=f"{client.base_url}/v1", api_key=key, max_retries=0) as chat:
                if key == token:
                    assert chat.models.list().data
                else:
                    with pytest.raises(openai.AuthenticationError):
                        chat.models.list()


def test_papers_cannot_put_links_or_images_into_the_text():
    """Markdown and HTML of a paper are broken up, so that a chat program loads nothing from elsewhere."""
    text = "A trap ![x](http://evil.example/) [y]: http://evil.example <img src=http://evil.example> if a<b or a <5."
    citation = Citation(paper_id="p", quote=text, start=0, end=len(text))
    verdict = Verdict(label="supported", probability=1.0)
    sentence = Sentence(text=text, kind="quote", citations=(citation,), verdict=verdict)
    shown = said(Event(kind="sentence", sentence=sentence), Marks())
    assert "](" not in shown
    assert "]:" not in shown
    assert "<img" not in shown
    assert "a <5" in shown
    assert shown.endswith(" [1]  \n")
