import pytest

from rag_qa.app.service.access import Access, make_proof

HOST = {"host": "127.0.0.1:8765"}
TOKEN = "a-token-of-some-length"


def status(access, path="/api/indexes", **headers):
    """The status of the refusal of a request, None if it may pass."""
    refusal = access.refusal(path, HOST | {name.replace("_", "-"): value for name, value in headers.items()})
    return refusal and refusal.status


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765", "127.0.0.2"])
def test_the_names_of_this_machine_pass(host):
    """Without a token whoever names this machine by a name of its own may ask."""
    assert status(Access(None), host=host) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "10.0.0.2:8765"]
)
def test_a_foreign_name_is_refused(host):
    """Without a token a request to any other name is refused, which ends DNS rebinding."""
    assert status(Access(None), host=host) == 421


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "sec_fetch_mode": "navigate"},
    ],
)
def test_pages_of_other_sites_are_refused(token, headers):
    """What a page of another origin asks is refused, with the right token too."""
    assert status(Access(token), authorization=f"Bearer {TOKEN}", **headers) == 403


def test_our_own_page_and_links_to_it_pass():
    """The page may ask, and a link of another site may lead to the page."""
    access = Access(None)
    assert status(access, origin="http://127.0.0.1:8765", sec_fetch_site="same-origin") is None
    assert status(access, "/", sec_fetch_site="cross-site", sec_fetch_mode="navigate") is None


def test_with_a_token_nothing_else_lets_in():
    """With a token a request needs it, the secret of the user's own programs, or the cookie, under any host name."""
    access = Access(TOKEN, secret="secret")
    name, _, value = access.cookie.split(";")[0].partition("=")
    for headers in (
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer {TOKEN}"},
        {"authorization": "Bearer secret"},
        {"cookie": f"other=1; {name}={value}"},
    ):
        assert status(access, host="papers.example", **headers) is None
    for headers in (
        {},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer \xe4"},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": f"{name}={TOKEN}"},
        {"cookie": f"{name}="},
        {"cookie": "\x00"},
    ):
        assert status(access, **headers) == 401
    assert status(access, "/healthz") is None


def test_the_cookie_is_not_the_token():
    """The cookie does not hold the token, and scripts cannot read it."""
    cookie = Access(TOKEN).cookie
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie


def test_without_a_token_none_is_admitted():
    """A service without a token admits no token, not even an empty one."""
    assert not Access(None).admits("")
    assert Access(TOKEN).admits(TOKEN)


def test_only_the_secret_makes_the_proof():
    """The proof depends on the secret and on the nonce."""
    proof = Access(None, secret="a").proof("nonce")
    assert proof == make_proof("a", "nonce")
    assert len({proof, make_proof("b", "nonce"), make_proof("a", "other")}) == 3
