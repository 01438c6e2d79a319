"""Requests: what is left of a question when the asking is taken away."""

import pytest

from rag_qa.retrieval.requests import without_request


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("Could you recommend papers that study pruning before training?", "pruning before training?"),
        ("which papers discuss eigendecomposition as a game?", "eigendecomposition as a game?"),
        ("Are there any works on music source separation?", "music source separation?"),
        ("graph neural networks for molecules", "graph neural networks for molecules"),
        ("In-context learning with long prompts", "In-context learning with long prompts"),
        ("papers about GANs", "papers about GANs"),
        ("which?", "which?"),
        ("", ""),
    ],
)
def test_the_asking_is_left_out_and_the_subject_kept(question, subject):
    """Opening words that only ask for papers go, unless hardly anything would be left."""
    assert without_request(question) == subject
