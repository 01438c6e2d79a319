import asyncio
from threading import Event

import pytest

from rag_qa.app.service import lanes
from rag_qa.app.service.lanes import Lane
from rag_qa.errors import QuestionError, ServiceBusyError


@pytest.fixture
def lane():
    """A lane in which two jobs may wait."""
    lane = Lane("test", limit=2)
    yield lane
    lane.close()


async def all_of(job):
    """The results of a job."""
    with job:
        return [result async for result in job.results()]


def test_results_come_in_order(lane):
    """A job gives what its work yields, one after the other, and then ends."""

    async def ask():
        return await all_of(lane.queue(lambda: (n for n in range(3))))

    assert asyncio.run(ask()) == [0, 1, 2]


def test_an_error_reaches_whoever_asked(lane):
    """What the work raises is raised to the asker, and the lane continues."""

    async def ask():
        def fail():
            raise QuestionError("no")

        with pytest.raises(QuestionError):
            await lane.call(fail)
        return await lane.call(lambda: "on")

    assert asyncio.run(ask()) == "on"


def test_beyond_the_limit_a_job_is_refused(lane):
    """While one job runs, two may wait; the next is reported to come again, until one that waits is given up."""

    async def ask():
        begun, go = Event(), Event()

        def block():
            begun.set()
            go.wait()
            yield "done"

        running = lane.queue(block)
        await asyncio.to_thread(begun.wait)
        first, second = lane.queue(lambda: iter_of("a")), lane.queue(lambda: iter_of("b"))
        assert lane.waiting == 2
        with pytest.raises(ServiceBusyError) as refused:
            lane.queue(lambda: iter_of("c"))
        assert refused.value.retry_after >= 1
        with first:
            pass
        third = lane.queue(lambda: iter_of("c"))
        go.set()
        return [await all_of(job) for job in (running, second, third)]

    assert asyncio.run(ask()) == [["done"], ["b"], ["c"]]


def test_a_job_that_nobody_waits_for_is_not_begun(lane):
    """A job whose asker left while it waited does nothing at all."""
    did = []

    async def ask():
        begun, go = Event(), Event()

        def block():
            begun.set()
            go.wait()
            yield None

        running = lane.queue(block)
        await asyncio.to_thread(begun.wait)
        with lane.queue(lambda: iter_of(did.append("begun"))):
            pass
        go.set()
        await all_of(running)
        await lane.call(lambda: None)

    asyncio.run(ask())
    assert did == []


def test_a_job_that_is_left_is_closed(lane):
    """Work whose asker leaves in the middle is closed at its next result."""
    closed = Event()

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    async def ask():
        with lane.queue(endless) as job:
            await anext(job.results())
        await lane.call(lambda: None)

    asyncio.run(ask())
    assert closed.is_set()


def test_what_takes_longer_than_anyone_waits_is_reported(lane, monkeypatch):
    """A lane ends after what it does now, and says whether it has ended."""
    monkeypatch.setattr(lanes, "PATIENCE_S", 0.01)
    begun, go = Event(), Event()

    def block():
        begun.set()
        go.wait()
        yield None

    async def begin():
        lane.queue(block)
        await asyncio.to_thread(begun.wait)

    asyncio.run(begin())
    assert not lane.close()
    monkeypatch.setattr(lanes, "PATIENCE_S", None)
    go.set()
    assert lane.close()


def iter_of(value):
    """A generator of one value."""
    yield value
