"""Pairs of neighbouring words, against bm25s over the same pairs written as words."""

from itertools import pairwise

import bm25s  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.index.lexical import TITLE_TIMES, Lexical, build_lexical
from rag_qa.index.pairs import Pairs, build_pairs
from rag_qa.types import Paper

# No stop words, and stems of themselves.
WORDS = st.lists(st.sampled_from(["fox", "bear", "owl", "elk"]), max_size=8)


def build(folder, papers):
    for part in ("lexical", "pairs"):
        (folder / part).mkdir()
    build_pairs(folder / "pairs", build_lexical(folder / "lexical", papers))
    return Pairs(folder / "pairs", Lexical(folder / "lexical"))


def reference(texts, query):
    written = [[f"{a}_{b}" for a, b in pairwise(text)] for text in texts]
    asked = [f"{a}_{b}" for a, b in pairwise(query)]
    index = bm25s.BM25()
    known = [pair for pair in asked if any(pair in text for text in written)]
    if not known:
        return np.zeros(len(texts))
    index.index(written, show_progress=False)
    return index.get_scores(known)


@given(texts=st.lists(WORDS, min_size=1, max_size=6), query=WORDS)
def test_scores_are_those_of_bm25(tmp_path_factory, texts, query):
    """Each paper's score is bm25s's when every pair is written as one word."""
    papers = [Paper(id=str(n), abstract=" ".join(text)) for n, text in enumerate(texts)]
    pairs = build(tmp_path_factory.mktemp("pairs"), papers)
    np.testing.assert_allclose(pairs.scores(" ".join(query)), reference(texts, query), atol=1e-5)


@pytest.mark.parametrize("query", ["policy", "gradient policy", "policy unheard gradient", "", "the of"])
def test_only_neighbours_match(tmp_path, query):
    """A single word, the words in another order and words with a third between them are no pair."""
    pairs = build(tmp_path, [Paper(id="a", abstract="A policy gradient."), Paper(id="b", abstract="Bees.")])
    assert pairs.scores(query).tolist() == [0, 0]
    assert (pairs.scores("the policies of gradients") > 0).tolist() == [True, False]


def test_no_papers_have_no_scores(tmp_path):
    """Without papers there are no scores."""
    assert build(tmp_path, []).scores("policy gradient").shape == (0,)


def test_a_word_in_a_title_counts_for_more(tmp_path):
    """Of two papers with the same words, the one that has them in its title is found first."""
    papers = [
        Paper(id="a", title="Bees", abstract="A bear."),
        Paper(id="b", title="A bear", abstract="Bees."),
    ]
    build(tmp_path, papers)
    scores = Lexical(tmp_path / "lexical").scores("bear")
    assert scores[1] > scores[0] > 0
    assert TITLE_TIMES > 1
