"""Feedback: a query moves towards what it found."""

import numpy as np

from rag_qa.retrieval.feedback import middle, moved_towards


def vectors(values):
    """One vector, or several as rows."""
    return np.array(values, dtype=np.float32)


def test_a_query_moves_midway_to_the_mean_of_what_it_found():
    """The moved vector is of unit length and lies between the query and the mean."""
    query, found = vectors([1, 0]), vectors([[0, 1], [0, 1]])
    np.testing.assert_allclose(moved_towards(query, found), [0.5**0.5, 0.5**0.5], rtol=1e-6)


def test_a_query_that_found_nothing_stays():
    """Without papers there is nothing to move towards."""
    query = vectors([1, 0])
    np.testing.assert_array_equal(moved_towards(query, np.empty((0, 2), dtype=np.float32)), query)


def test_a_query_that_found_its_opposite_stays():
    """Where the mean of what was found cancels the query out, the query stays instead of becoming no number."""
    query = vectors([0.6, 0.8])
    np.testing.assert_array_equal(moved_towards(query, -query[None]), query)


def test_the_middle_of_vectors_is_a_direction():
    """The middle of unit vectors is of unit length; of vectors that cancel out it is the first."""
    np.testing.assert_allclose(middle(vectors([[1, 0], [0, 1]])), [0.5**0.5, 0.5**0.5], rtol=1e-6)
    np.testing.assert_array_equal(middle(vectors([[1, 0], [-1, 0]])), [1, 0])
