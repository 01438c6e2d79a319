"""Requests that no client sends by accident, over a socket of their own."""

import socket

import pytest

from rag_qa.app.service import connections, gate

JSON = "Content-Type: application/json\r\n"


@pytest.fixture
def send(quoting):
    """A function that sends bytes to a service and returns the first line of the response; "" if there is none."""
    address = (quoting.base_url.host, quoting.base_url.port)

    def one(*parts, timeout=30):
        with socket.create_connection(address, timeout) as connection:
            try:
                for part in parts:
                    connection.sendall(part)
                return connection.recv(4096).split(b"\r\n")[0].decode()
            except ConnectionError:
                return ""

    return one


@pytest.fixture
def request_of(quoting):
    """A function that makes a request of a first line and headers; without a Host among them, the service's own."""
    own = f"Host: {quoting.base_url.host}:{quoting.base_url.port}\r\n"

    def made(line, headers="", *, host=own):
        return f"{line} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n".encode("latin-1")

    return made


LIST = "GET /api/indexes"
ASK = "POST /api/ask"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "Host: \r\n",
        "Host: evil.example\r\n",
        "Host: 127.0.0.1@evil.example\r\n",
        "Host: 127.0.0.1.evil.example\r\n",
        "Host: evil.example:127.0.0.1\r\n",
        "Host: 0.0.0.0\r\n",
        "Host: 2130706433\r\n",
        "Host: evil.example\r\nX-Forwarded-Host: 127.0.0.1\r\n",
        "Host: evil.example\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1;host=127.0.0.1\r\n",
        "Host: evil.example\r\nHost: evil.example\r\n",
    ],
)
def test_hosts_of_others_get_nothing(host, send, request_of):
    """A host that is not this machine, however it is written or forwarded, is answered with an error of the client."""
    assert send(request_of(LIST, host=host)).split()[1] in ("400", "421")


@pytest.mark.parametrize(
    "headers",
    [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: \r\n",
        "Origin: http://127.0.0.1\r\n",
        "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n",
        "Origin: http://[::\r\n",
    ],
)
def test_pages_of_others_get_nothing(headers, send, request_of):
    """A page of another origin is refused, whatever the method, and gets no permission to read."""
    for line in (LIST, "OPTIONS /api/ask", "POST /api/ask", "GET /"):
        assert send(request_of(line, headers)).split()[1] == "403"


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        (ASK, f"{JSON}Content-Length: -4\r\n"),
        (ASK, f"{JSON}Content-Length: 4\r\nContent-Length: 5\r\n"),
        (ASK, f"{JSON}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
        (ASK, f"{JSON}Content-Length: {10**30}\r\n"),
        ("GET /../../../etc/passwd", ""),
        ("GET /%2e%2e/%2e%2e/%2e%2e/etc/passwd", ""),
        ("GET /..%2f..%2fservice/access.py", ""),
        ("GET /%00", ""),
        ("TRACE /", ""),
        ("CONNECT evil.example:80", ""),
        ("GET /" + "a" * 100_000, ""),
        (LIST + "\x00", ""),
        ("\x16\x03\x01\x02\x00", ""),
        (LIST, "X: " + "a" * 1_000_000 + "\r\n"),
    ],
    ids=lambda value: value[:40].encode("ascii", "backslashreplace").decode(),
)
def test_odd_requests_are_refused(line, headers, send, request_of, quoting):
    """A contradictory length, a path out of the folder, an endless line: an error of the client or a closed connection.

    The service goes on.
    """
    answer = send(request_of(line, headers))
    assert answer == "" or answer.split()[1].startswith("4")
    assert quoting.get("/healthz").status_code == 200


def test_large_bodies_are_cut_off(send, request_of, quoting):
    """A body of 100 MB is refused, by its stated length or once too much has come, and others are served."""
    stated = request_of(ASK, f"{JSON}Content-Length: {100 * 2**20}\r\n")
    assert send(stated).split()[1] == "413"
    pieces = [b"100000\r\n" + b"x" * 2**20 + b"\r\n"] * 100
    assert send(request_of(ASK, f"{JSON}Transfer-Encoding: chunked\r\n"), *pieces)[9:12] in ("413", "")
    assert quoting.get("/healthz").status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(send, request_of, monkeypatch):
    """A client that sends half a body is told so after a while."""
    monkeypatch.setattr(gate, "BODY_TIMEOUT_S", 0.05)
    assert send(request_of(ASK, f"{JSON}Content-Length: 40\r\n"), b'{"question"').split()[1] == "408"


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a"])
def test_a_request_that_does_not_come_is_not_waited_for(begun, send, monkeypatch):
    """A connection on which nothing, or half a request, was sent is closed after a while."""
    monkeypatch.setattr(connections, "HEADERS_TIMEOUT_S", 0.05)
    assert send(begun) == ""


def test_nor_is_the_second_request_of_a_connection(quoting, monkeypatch):
    """The limit holds for each request of a connection, and a connection that asks in time stays open."""
    monkeypatch.setattr(connections, "HEADERS_TIMEOUT_S", 0.05)
    host = f"Host: {quoting.base_url.host}\r\n"
    whole = f"GET /healthz HTTP/1.1\r\n{host}\r\n".encode()
    with socket.create_connection((quoting.base_url.host, quoting.base_url.port), 30) as connection:
        for _ in range(2):
            connection.sendall(whole)
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
        connection.sendall(whole[:20])
        assert connection.recv(4096) == b""
