"""Lanes: threads that each do their jobs in the order of the queue.

A lane has a limit of waiting jobs. A job whose client has left is not started, or ended at its next result. This
module does not know what the work is.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

from rag_qa.errors import ServiceBusyError

T = TypeVar("T")
Work = Callable[[], Generator[T, None, None]]
# Weight of the newest job in the moving average of durations.
NEWEST = 0.3
PATIENCE_S = 5.0


class Done:
    """Marks the end of the results of a job."""


class Job(Generic[T]):
    """Work that yields results, which the client reads one by one. Leaving its `with` block ends the work."""

    def __init__(self, work: Work[T], forget: Callable[["Job[T]"], None]) -> None:
        self._work = work
        self._forget = forget
        self._loop = asyncio.get_running_loop()
        self._results: asyncio.Queue[T | Exception | Done] = asyncio.Queue()
        self._left = Event()

    def __enter__(self) -> "Job[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._forget(self)

    async def results(self) -> AsyncGenerator[T, None]:
        """Yield the results. Raises what the work raised."""
        while not isinstance(result := await self._results.get(), Done):
            if isinstance(result, Exception):
                raise result
            yield result

    def run(self) -> None:
        """Do the work, in the thread of a lane."""
        last: Exception | Done = Done()
        try:
            self._hand_over()
        except Exception as exc:  # it is raised in `results`
            last = exc
        self._put(last)

    def _hand_over(self) -> None:
        if self._left.is_set():
            return
        with closing(self._work()) as results:
            for result in results:
                if self._left.is_set():
                    return
                self._put(result)

    def _put(self, result: T | Exception | Done) -> None:
        with contextlib.suppress(RuntimeError):  # the service has ended meanwhile
            self._loop.call_soon_threadsafe(self._results.put_nowait, result)


class Lane:
    """A thread with a queue of at most `limit` waiting jobs."""

    def __init__(self, name: str, *, limit: int) -> None:
        self.name = name
        self._limit = limit
        self._lock = Lock()
        self._waiting: set[Job[Any]] = set()
        self._mean_s = 0.0
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=f"rag-qa {name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """The number of jobs that have not started."""
        return len(self._waiting)

    def queue(self, work: Work[T]) -> Job[T]:
        """Queue some work. Raises ServiceBusyError if the queue is full."""
        job = Job(work, self._forget)
        with self._lock:
            if len(self._waiting) >= self._limit:
                raise self._busy()
            self._waiting.add(job)
        self._jobs.put(job)
        return job

    async def call(self, function: Callable[[], T]) -> T:
        """Return what a function returns, called in the lane. Raises what it raises, and as `queue` does."""

        def once() -> Generator[T, None, None]:
            yield function()

        with self.queue(once) as job:
            return await anext(job.results())

    def close(self) -> bool:
        """End the thread after its current job, and return whether it ended within `PATIENCE_S` seconds."""
        self._jobs.put(None)
        self._thread.join(PATIENCE_S)
        return not self._thread.is_alive()

    def _busy(self) -> ServiceBusyError:
        seconds = max(1, math.ceil(self._mean_s * len(self._waiting)))
        return ServiceBusyError(
            f"{len(self._waiting)} requests are waiting already; ask again in {seconds} s",
            retry_after=seconds,
        )

    def _forget(self, job: Job[Any]) -> None:
        with self._lock:
            self._waiting.discard(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._forget(job)
            started = time.perf_counter()
            job.run()
            self._mean_s += NEWEST * (time.perf_counter() - started - self._mean_s)
