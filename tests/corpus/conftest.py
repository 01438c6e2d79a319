"""What the corpus tests share: files in a temporary folder, papers in a line, the seeds where they exist."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rag_qa.corpus.reading import Reading, read_source
from rag_qa.corpus.sources import expand_sources
from rag_qa.types import Paper, Source

ReadBytes = Callable[..., Reading]
MakePaper = Callable[..., Paper]


@pytest.fixture
def read_bytes(tmp_path: Path) -> ReadBytes:
    """Write bytes (or text) to a file and read it as a source."""

    def read(content: bytes | str, name: str = "papers", format: str | None = None) -> Reading:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_source(expand_sources([path])[0], format)

    return read


def make_paper(abstract: str, *, number: int = 1, path: str = "a.jsonl", **fields: object) -> Paper:
    """Return a paper with an id by number unless one is given."""
    values = {
        "id": f"p{number}",
        "abstract": abstract,
        "sources": (Source(path=path, record=number),),
        **fields,
    }
    return Paper.model_validate(values)


@pytest.fixture
def paper() -> MakePaper:
    return make_paper


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of shared test data, or skip."""
    default = Path(__file__).parents[2].parent / "shared"
    folder = Path(os.environ.get("RAG_QA_SHARED", default))
    if not (folder / "seeds").is_dir():
        pytest.skip(f"no shared test data at {folder}: set RAG_QA_SHARED")
    return folder


def count_words(texts: Sequence[str]) -> list[int]:
    """Count tokens as a cheap tokenizer would: four characters each, and two special ones."""
    return [2 + sum(-(-len(word) // 4) for word in text.split()) for text in texts]


@pytest.fixture
def token_counter() -> Callable[[Sequence[str]], list[int]]:
    return count_words
