"""What the corpus tests share: papers in a line and a cheap tokenizer."""

from collections.abc import Callable, Sequence

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


def count_words(texts: Sequence[str]) -> list[int]:
    """Count tokens as a cheap tokenizer would: four characters each, and two special ones."""
    return [2 + sum(-(-len(word) // 4) for word in text.split()) for text in texts]


@pytest.fixture
def token_counter() -> Callable[[Sequence[str]], list[int]]:
    return count_words
