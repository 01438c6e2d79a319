"""Counters and timings of a service for Prometheus, in their own registry."""

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_qa.app.service.lanes import Lane

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
# The name under which requests without a route are counted: their paths can be anything.
NO_ROUTE = "other"
REFUSALS = (401, 403, 408, 413, 421, 503)


class Metrics:
    """Requests by route, method and status, seconds by stage of an answer, and queue lengths by lane."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        labels = ("route", "method", "status")
        self._requests = Counter("rag_qa_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram(
            "rag_qa_request_seconds",
            "Seconds to the end of a response.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "rag_qa_stage_seconds",
            "Seconds that a stage of an answer took.",
            ("stage",),
            buckets=SECONDS,
            registry=registry,
        )
        self._refused = Counter("rag_qa_refused", "Requests refused.", ("status",), registry=registry)
        self._waiting = Gauge("rag_qa_queue_length", "Requests that wait.", ("lane",), registry=registry)

    def watch(self, lane: Lane) -> None:
        """Show the queue length of a lane."""
        self._waiting.labels(lane.name).set_function(lambda: lane.waiting)

    def answered(self, timings: Mapping[str, float]) -> None:
        """Record the seconds of the stages of an answer."""
        for stage, seconds in timings.items():
            self._stages.labels(stage).observe(seconds)

    def responded(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a response."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status in REFUSALS:
            self._refused.labels(str(status)).inc()

    def page(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class Metered:
    """An ASGI application that counts the responses of another."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            self._metrics.responded(_route(scope), _method(scope), status, time.perf_counter() - started)


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", NO_ROUTE) or NO_ROUTE)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other"
