"""A small package index (PEP 503) on loopback that serves wheels, and the wheels: one data member each."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PackageIndex(ThreadingHTTPServer):
    """The server: `wheels` maps file names to bytes, `fetched` names the wheels that were downloaded, in order."""

    def __init__(self, wheels: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wheels = wheels
        self.fetched: list[str] = []

    @property
    def url(self) -> str:
        """What PIP_INDEX_URL is to be."""
        return f"http://127.0.0.1:{self.server_port}/simple"


@contextmanager
def serving_wheels(wheels: dict[str, bytes]) -> Iterator[PackageIndex]:
    """Serve wheels from a thread until the block ends."""
    with PackageIndex(wheels) as index:
        thread = threading.Thread(target=index.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield index
        finally:
            index.shutdown()
            thread.join()


def wheel_of(package: str, version: str, members: dict[str, bytes]) -> bytes:
    """Return a wheel that holds these members and the metadata that pip asks for."""
    folder = f"{package.replace('-', '_')}-{version}.dist-info"
    metadata = {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{folder}/RECORD": b"",
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in (members | metadata).items():
            archive.writestr(name, content)
    return written.getvalue()


class _Handler(BaseHTTPRequestHandler):
    server: PackageIndex

    def do_GET(self) -> None:
        folder, _, rest = self.path.strip("/").partition("/")
        if folder == "simple":
            wanted = rest.strip("/").replace("-", "_") + "-"
            names = [name for name in self.server.wheels if name.startswith(wanted)]
            self._send("".join(_link(name, self.server.wheels[name]) for name in names).encode(), "text/html")
        elif rest in self.server.wheels:
            self.server.fetched.append(rest)
            self._send(self.server.wheels[rest], "application/octet-stream")
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _link(name: str, content: bytes) -> str:
    return f'<a href="/wheels/{name}#sha256={hashlib.sha256(content).hexdigest()}">{name}</a>\n'
