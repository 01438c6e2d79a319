"""What the tests of formats share: reading a text or bytes as if they were a file."""

from collections.abc import Callable

import pytest

from rag_qa.corpus.reading import SourceReading, read_source
from rag_qa.corpus.sources import SourceFile

Read = Callable[[str | bytes], SourceReading]


@pytest.fixture
def read() -> Read:
    def read(content: str | bytes) -> SourceReading:
        raw = content.encode() if isinstance(content, str) else content
        return read_source(SourceFile(path="-", digest="", content=raw))

    return read
