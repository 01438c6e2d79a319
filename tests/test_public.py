"""The public names."""

import rag_qa

NAMES = [
    "Answer",
    "Assistant",
    "Citation",
    "EvalReport",
    "Event",
    "Evidence",
    "Explanation",
    "Fate",
    "Filter",
    "Hit",
    "Hits",
    "IndexReport",
    "Paper",
    "Passage",
    "RagQAError",
    "Sentence",
    "Settings",
    "Skipped",
    "Source",
    "Verdict",
    "Version",
    "__version__",
    "build_index",
    "judge",
]


def test_public_names_are_exactly_these():
    """`__all__` is this list, sorted: a new public name is a decision, and so is one that goes."""
    assert rag_qa.__all__ == NAMES == sorted(NAMES)


def test_every_public_name_exists():
    """Each public name can be imported from the package."""
    assert all(hasattr(rag_qa, name) for name in NAMES)


def test_fakes_are_public():
    """The fakes that the tests use are importable by whoever builds on the package."""
    from rag_qa.testing import HashingEmbedder, OverlapReranker, QueuedGenerator

    assert HashingEmbedder().spec.dimension == 64
    assert OverlapReranker().score("a game", ["A game of two."]) == [1.0]
    assert QueuedGenerator(["yes"]).spec.runtime == "rag_qa.testing"
