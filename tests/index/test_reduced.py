"""Reduced vectors: nearly the similarities of whole ones, and exactly those if no component is left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.index.exact import Exact, build_exact
from rag_qa.index.reduced import Reduced, build_reduced, principal_axes

DIMENSION = 8


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def build(folder, sizes, seed=0):
    """Write an exact matrix of papers with so many passages each, with reduced vectors of all components."""
    vectors = unit(np.random.default_rng(seed).normal(size=(sum(sizes), DIMENSION)))
    owners = np.repeat(np.arange(len(sizes)), sizes)
    rows = ((f"p{owner:04}", row.tobytes()) for owner, row in zip(owners, vectors, strict=True))
    build_exact(folder, rows, sum(sizes), DIMENSION, large=1)
    return Exact(folder), Reduced(folder), vectors


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=20), data=st.data())
def test_all_components_give_the_exact_similarities(tmp_path_factory, sizes, data):
    """With as many components as dimensions, each paper has the similarity of its best passage, alone or among all."""
    exact, reduced, vectors = build(tmp_path_factory.mktemp("exact"), sizes)
    every = np.arange(len(sizes))
    some = np.array(sorted(data.draw(st.sets(st.sampled_from(list(every))))), dtype=np.int64)
    wanted = exact.similarities(vectors[0], every)
    np.testing.assert_allclose(reduced.similarities(vectors[0]), wanted, atol=1e-5)
    np.testing.assert_allclose(reduced.similarities_of(vectors[0], some), wanted[some], atol=1e-5)


def test_fewer_components_are_nearly_right(tmp_path):
    """Vectors that lie near a plane keep their similarities in two components."""
    chance = np.random.default_rng(3)
    plane = chance.normal(size=(200, 2)) @ chance.normal(size=(2, DIMENSION))
    vectors = unit(plane + 0.01 * chance.normal(size=plane.shape))
    build_reduced(tmp_path, vectors, np.arange(len(vectors) + 1), components=2)
    found = Reduced(tmp_path).similarities(vectors[5])
    np.testing.assert_allclose(found, vectors @ vectors[5], atol=0.05)


def test_axes_are_orthogonal():
    """The principal axes are of length 1 and orthogonal, the longest first."""
    vectors = np.random.default_rng(1).normal(size=(50, DIMENSION)).astype(np.float32) * np.arange(
        1, DIMENSION + 1
    )
    axes = principal_axes(vectors, 4)
    np.testing.assert_allclose(axes.T @ axes, np.eye(4), atol=1e-5)
    lengths = np.linalg.norm(vectors @ axes, axis=0)
    assert lengths.tolist() == sorted(lengths, reverse=True)


@pytest.mark.parametrize(("large", "built"), [(7, True), (8, False)])
def test_only_large_indexes_have_them(tmp_path, large, built):
    """Reduced vectors are built from a number of passages on; below it they are not, and there is nothing to open."""
    vectors = unit(np.random.default_rng(2).normal(size=(7, DIMENSION)))
    build_exact(
        tmp_path, ((f"p{n}", row.tobytes()) for n, row in enumerate(vectors)), 7, DIMENSION, large=large
    )
    assert (Exact(tmp_path).reduced is not None) == built
