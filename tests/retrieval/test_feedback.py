"""Feedback: a query moves towards what it found."""

import numpy as np

from rag_qa.retrieval.feedback import moved_towards


def test_a_query_moves_midway_to_the_mean_of_what_it_found():
    """The moved vector is of unit length and lies between the query and the mean."""
    query, found = np.float32([1, 0]), np.float32([[0, 1], [0, 1]])
    np.testing.assert_allclose(moved_towards(query, found), [0.5**0.5, 0.5**0.5], rtol=1e-6)


def test_a_query_that_found_nothing_stays():
    """Without papers there is nothing to move towards."""
    query = np.float32([1, 0])
    np.testing.assert_array_equal(moved_towards(query, np.empty((0, 2), dtype=np.float32)), query)
