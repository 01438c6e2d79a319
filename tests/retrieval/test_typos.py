"""Typos: which words of a question are mended, and into what."""

import pytest

from rag_qa.retrieval.typos import without_typos

PAPERS = {"gradient": 5, "gradients": 7, "pruning": 3, "prunings": 3, "obscure": 1}


def papers_with(words):
    return [PAPERS.get(word.lower(), 0) for word in words]


@pytest.mark.parametrize(
    ("question", "mended"),
    [
        ("policy graient", "policy gradient"),
        ("policy grdaient", "policy gradient"),
        ("policy gradxient", "policy gradient"),
        ("policy gradiemt?", "policy gradient?"),
        ("Gradiants of", "gradients of"),
        ("prunin", "pruning"),
        ("pruningx", "pruning"),
        ("gradient obscure", "gradient obscure"),
        ("obscuer", "obscuer"),
        ("radient", "radient"),
        ("graxxent", "graxxent"),
        ("GraDient pruNin", "GraDient pruNin"),
        ("prune", "prune"),
        ("", ""),
    ],
)
def test_words_that_no_paper_has_are_mended(question, mended):
    """One slip after the first letter of a long word is mended, into the word of most papers; all else stays."""
    assert without_typos(question, papers_with) == mended


def test_no_word_is_too_long():
    """What is too long for a word is left alone, at no cost."""
    assert without_typos("x" * 100_000, papers_with) == "x" * 100_000
