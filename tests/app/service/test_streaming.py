import asyncio

from rag_qa.app.service.streaming import KEEP_ALIVE, as_line, kept_alive, sent


def test_silence_is_filled_with_comments():
    """If no event comes for a while a comment does, and the events are closed once nobody reads them."""
    closed = []

    async def read():
        go = asyncio.Event()

        async def events():
            try:
                yield "first"
                await go.wait()
                yield "second"
                await asyncio.Event().wait()
            finally:
                closed.append(True)

        found = kept_alive(events(), seconds=0.01)
        assert await anext(found) == "first"
        assert await anext(found) == KEEP_ALIVE
        go.set()
        while (event := await anext(found)) == KEEP_ALIVE:
            pass
        assert event == "second"
        assert not closed
        await found.aclose()

    asyncio.run(read())
    assert closed == [True]


def test_an_event_is_one_line_of_data():
    """Line ends of any kind in a text do not end the data of an event."""
    assert sent(as_line({"piece": "a\nb\r\u2028"}), event="piece") == (
        'event: piece\ndata: {"piece":"a\\nb\\r\\u2028"}\n\n'
    )
