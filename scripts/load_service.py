"""Load a service with many clients, and report latencies, errors and memory as JSON.

    python scripts/load_service.py INDEX [--clients 32] [--seconds 300] [--fake]

The service is a process of its own with the real embedder. It answers in quotes; with `--fake` a fake language model
writes at random what a grammar allows. Clients search, ask in one piece and as a stream, chat as OpenAI's do, and leave
in the middle. A client that gets status 503 waits as long as the service asks. Any other failure is an error: status 1.
"""

import argparse
import json
import math
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import quote

from rag_qa.app.service.listening import listen
from rag_qa.backends.locating import STARTER, ModelChoice
from rag_qa.index.reader import Index
from rag_qa.settings import Settings

SAMPLE_S = 2.0
# Memory is flat if its median over the last third is at most this much above that over the second.
FLAT_MIB = 16
QUESTIONS = ("Which papers present {}?", "What is said about {}?", "What does the paper {} find?")


class Findings:
    """What the clients saw, gathered from their threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.refused = 0
        self.errors: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, kind: str, seconds: float) -> None:
        """Note a request that was answered."""
        with self._lock:
            self.seconds[kind].append(seconds)

    def refuse(self) -> None:
        """Note a request that was refused because the service is busy."""
        with self._lock:
            self.refused += 1

    def fail(self, error: str) -> None:
        """Note an error."""
        with self._lock:
            self.errors[error] += 1


class Client:
    """One client: it asks, waits for the answer, and asks again."""

    def __init__(self, port: int, titles: list[str], findings: Findings, seed: int) -> None:
        self._port = port
        self._titles = titles
        self._findings = findings
        self._random = random.Random(seed)
        self._kinds: dict[str, Callable[[], None]] = {
            "search": self._search,
            "ask": self._ask,
            "stream": self._stream,
            "chat": self._chat,
            "leave": self._leave,
        }

    def run(self, until: float) -> None:
        """Ask until the time is over."""
        while time.monotonic() < until:
            kind = self._random.choice(list(self._kinds))
            started = time.monotonic()
            try:
                self._kinds[kind]()
                self._findings.note(kind, time.monotonic() - started)
            except BusyError as exc:
                self._findings.refuse()
                time.sleep(min(exc.seconds, max(0.0, until - time.monotonic())))
            except (OSError, HTTPException, ValueError, AssertionError) as exc:
                self._findings.fail(f"{kind}: {type(exc).__name__}: {exc}"[:200])

    def _search(self) -> None:
        with self._sent("GET", f"/api/search?q={quote(self._question())}") as response:
            assert json.loads(response.read())

    def _ask(self) -> None:
        with self._sent("POST", "/api/ask", {"question": self._question()}) as response:
            assert "abstained" in json.loads(response.read())

    def _stream(self) -> None:
        body = {"question": self._question()}
        with self._sent("POST", "/api/ask", body, accept="text/event-stream") as response:
            last = response.read().decode().rstrip().split("\n\n")[-1]
            assert last.startswith("event: answer"), last[:150]

    def _chat(self) -> None:
        body = {
            "model": "rag-qa",
            "stream": True,
            "messages": [{"role": "user", "content": self._question()}],
        }
        with self._sent("POST", "/v1/chat/completions", body) as response:
            last = response.read().decode().rstrip()
            assert last.endswith("data: [DONE]"), last[-150:]

    def _leave(self) -> None:
        body = {"question": self._question()}
        with self._sent("POST", "/api/ask", body, accept="text/event-stream") as response:
            response.readline()

    def _question(self) -> str:
        return self._random.choice(QUESTIONS).format(self._random.choice(self._titles))

    @contextmanager
    def _sent(
        self, method: str, path: str, body: object = None, *, accept: str = "application/json"
    ) -> Iterator[HTTPResponse]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=300)
        try:
            headers = {"Content-Type": "application/json", "Accept": accept}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            if response.status == 503 and response.headers["Retry-After"]:
                raise BusyError(int(response.headers["Retry-After"]))
            assert response.status == 200, f"{response.status} {response.read(200)!r}"
            yield response
        finally:
            connection.close()


class BusyError(Exception):
    """The service said in how many seconds to come again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def main() -> None:
    """Load a service and print what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("index", type=Path)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--fake", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.index, fake=given.fake)
        return
    found = load(given.index, clients=given.clients, seconds=given.seconds, fake=given.fake)
    print(json.dumps(found, indent=2))
    sys.exit(bool(found["errors"]))


def serve(index: Path, *, fake: bool) -> None:
    """Serve an index on a free port, which is printed."""
    from rag_qa.app.service.library import Library, Models
    from rag_qa.app.service.running import run_service
    from rag_qa.backends.embedding import open_embedder
    from rag_qa.testing import RandomGenerator

    settings = Settings(model=STARTER, style="synthesis" if fake else "quote")
    generator = RandomGenerator(n_ctx=32_768) if fake else None
    library = Library([index], settings, Models(open_embedder(settings), generator))
    listener = listen("127.0.0.1", 0, None)
    print(listener.getsockname()[1], flush=True)
    run_service(library, listener, settings=settings, choice=ModelChoice(name=STARTER))


def load(index: Path, *, clients: int, seconds: float, fake: bool) -> dict[str, object]:
    """Return what so many clients saw of a service of its own."""
    titles = _titles(index)
    command = [sys.executable, __file__, str(index), "--serve", *(["--fake"] if fake else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        try:
            port = int(service.stdout.readline())
            findings = Findings()
            Client(port, titles, findings, seed=0)._ask()
            memory = _ask_all(port, titles, findings, clients=clients, seconds=seconds, process=service.pid)
        finally:
            service.terminate()
    return {
        "answers": "written by a fake language model" if fake else "quotes",
        "papers": len(titles),
        "clients": clients,
        "seconds": seconds,
        "latency_s": {kind: _spread(times) for kind, times in sorted(findings.seconds.items())},
        "refused_as_busy": findings.refused,
        "errors": dict(findings.errors),
        "memory_mib": memory,
    }


def _titles(index: Path) -> list[str]:
    opened = Index.open(index)
    try:
        return [paper.heading for paper in opened.papers()]
    finally:
        opened.close()


def _ask_all(
    port: int, titles: list[str], findings: Findings, *, clients: int, seconds: float, process: int
) -> dict[str, object]:
    """Let the clients ask, and return the memory of the service: by thirds of the time, and whether it is flat."""
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=Client(port, titles, findings, seed).run, args=(until,))
        for seed in range(1, clients + 1)
    ]
    samples = [_resident(process)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(SAMPLE_S)
        samples.append(_resident(process))
    third = max(1, len(samples) // 3)
    thirds = [statistics.median(samples[n : n + third]) for n in (0, third, len(samples) - third)]
    return {"first": samples[0], "median_by_third": thirds, "flat": thirds[2] - thirds[1] <= FLAT_MIB}


def _resident(process: int) -> float:
    """Return the resident memory of a process on Linux, in MiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return math.nan


def _spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "n": len(ordered),
        "median": round(statistics.median(ordered), 3),
        "p95": round(ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)], 3),
        "max": round(ordered[-1], 3),
    }


if __name__ == "__main__":
    main()
