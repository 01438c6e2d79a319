"""A small HTTP server that speaks as much of the Hugging Face Hub's protocol as a download needs.

It serves one repository at one commit: the listing of its files, and each file with its ETag and commit.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub(ThreadingHTTPServer):
    """The server: `files` maps paths to bytes, `requests` records what was asked, as `METHOD path`."""

    def __init__(self, repo: str, revision: str, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repo, self.revision, self.files = repo, revision, files
        self.requests: list[str] = []

    @property
    def endpoint(self) -> str:
        """What HF_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(repo: str, revision: str, files: dict[str, bytes]) -> Iterator[Hub]:
    """Serve a repository from a thread until the block ends."""
    with Hub(repo, revision, files) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.server.requests.append(f"{self.command} {path}")
        files = f"/{self.server.repo}/resolve/{self.server.revision}/"
        if path == f"/api/models/{self.server.repo}/tree/{self.server.revision}":
            self._send(200, json.dumps([_listed(*item) for item in self.server.files.items()]).encode())
        elif path.startswith(files) and path.removeprefix(files) in self.server.files:
            self._send(200, self.server.files[path.removeprefix(files)])
        else:
            self._send(404, b"{}", **{"X-Error-Code": "RepoNotFound"})

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.server.revision)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def _listed(path: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
