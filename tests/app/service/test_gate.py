"""The gate of programs that need a token and nothing else."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse

from rag_qa.app.service.access import Access
from rag_qa.app.service.gate import TokenGate

TOKEN = "a-token-of-some-length"


def ask(headers):
    """The response of a gated application to a request with these headers."""

    async def one():
        app = TokenGate(PlainTextResponse("in"), Access(TOKEN))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://papers.example") as client:
            return await client.get("/mcp", headers=headers)

    return asyncio.run(one())


def test_the_token_lets_in():
    """A request with the token reaches the application."""
    response = ask({"Authorization": f"Bearer {TOKEN}"})
    assert (response.status_code, response.text) == (200, "in")


@pytest.mark.parametrize("headers", [{}, {"Authorization": TOKEN}, {"Authorization": "Bearer wrong"}])
def test_nothing_else_lets_in(headers):
    """Any other request is refused with 401, and the text says how to send the token."""
    response = ask(headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer TOKEN" in response.text
