"""What the corpus tests share: papers in a line, a cheap tokenizer, the test data where it exists."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rag_qa.types import Paper, Source

MakePaper = Callable[..., Paper]


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
