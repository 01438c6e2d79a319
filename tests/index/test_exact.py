"""Exact similarities: what is found is what a product by hand gives."""

import numpy as np
import pytest

from rag_qa.index.exact import Exact, build_exact

SIZES = [1, 3, 1, 2, 5, 1, 1, 4, 1, 1, 2, 1]
ALL = np.arange(len(SIZES))


@pytest.fixture
def vectors():
    """Unit vectors of twelve papers, some with several passages."""
    chance = np.random.default_rng(4)
    drawn = [chance.normal(size=(size, 8)).astype(np.float32) for size in SIZES]
    return [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in drawn]


@pytest.fixture
def exact(tmp_path, vectors):
    """The same vectors, written and opened."""
    rows = ((f"p{n:02}", row.tobytes()) for n, paper in enumerate(vectors) for row in paper)
    build_exact(tmp_path, rows, sum(SIZES), 8)
    return Exact(tmp_path)


def test_every_paper_counts_with_its_best_passage(exact, vectors):
    """The similarity of a paper is that of its most similar passage."""
    wanted = [(paper @ vectors[7][2]).max() for paper in vectors]
    np.testing.assert_allclose(exact.similarities(vectors[7][2], ALL), wanted, rtol=1e-5)


@pytest.mark.parametrize("places", [[4], [0, 7, 11], [7, 1], list(range(12)), []])
def test_some_papers_score_as_among_all(exact, vectors, places):
    """Restricting to some papers, few or many, changes none of their scores."""
    chosen = np.array(places, dtype=np.int64)
    every = exact.similarities(vectors[4][0], ALL)
    np.testing.assert_allclose(exact.similarities(vectors[4][0], chosen), every[chosen], rtol=1e-5)


def test_the_best_passage_is_the_one_that_was_asked_for(exact, vectors):
    """A passage's own vector finds that passage of its paper."""
    for place, paper in enumerate(vectors):
        assert [exact.best_passage(row, place) for row in paper] == list(range(len(paper)))


def test_nothing_is_found_in_nothing(tmp_path):
    """A collection without papers has no scores."""
    build_exact(tmp_path, iter(()), 0, 8)
    assert Exact(tmp_path).similarities(np.zeros(8, dtype=np.float32), np.arange(0)).shape == (0,)
