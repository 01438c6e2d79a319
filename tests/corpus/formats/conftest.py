"""What the tests of formats share: reading a text or bytes as if they were a file."""

from collections.abc import Callable

import pytest

from rag_qa.corpus.reading import Reading, read_source
from rag_qa.corpus.sources import SourceFile

Read = Callable[[str | bytes], Reading]


@pytest.fixture
def read() -> Read:
    def read(content: str | bytes) -> Reading:
        raw = content.encode() if isinstance(content, str) else content
        return read_source(SourceFile(path="-", digest="", content=raw))

    return read
