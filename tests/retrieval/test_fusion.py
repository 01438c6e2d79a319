"""Properties of the fusion of scores."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rag_qa.retrieval.fusion import mean_of_max_scaled

SCORES = st.integers(1, 30).flatmap(
    lambda size: st.lists(
        arrays.arrays(np.float32, size, elements=st.floats(-4, 64, width=32, allow_subnormal=False)),
        min_size=1,
        max_size=3,
    )
)


def fuse(components):
    return mean_of_max_scaled({str(n): scores for n, scores in enumerate(components)})


@given(SCORES)
def test_scores_stay_between_zero_and_one(components):
    """Fused scores have the candidates' shape and lie between 0 and 1, whatever the components are."""
    fused = fuse(components)
    assert fused.shape == components[0].shape
    assert fused.dtype == np.float32
    assert ((fused >= 0) & (fused <= 1)).all()


@given(SCORES, st.floats(2**-10, 2**10), st.integers(0, 2))
def test_scale_of_a_component_does_not_matter(components, factor, which):
    """Multiplying one component by a positive number changes nothing."""
    scaled = list(components)
    which %= len(scaled)
    scaled[which] = (scaled[which] * np.float32(factor)).astype(np.float32)
    np.testing.assert_allclose(fuse(scaled), fuse(components), atol=1e-5)


@given(SCORES, st.randoms(use_true_random=False))
def test_order_of_candidates_does_not_matter(components, chance):
    """Candidates in another order get the same scores in that order."""
    order = list(range(len(components[0])))
    chance.shuffle(order)
    np.testing.assert_array_equal(fuse([scores[order] for scores in components]), fuse(components)[order])


@given(SCORES)
def test_a_better_candidate_is_not_ranked_below(components):
    """A candidate that is at least as good in every component gets at least the same score."""
    fused, stacked = fuse(components), np.stack(components)
    for a in range(len(fused)):
        at_least = (stacked[:, [a]] >= stacked).all(axis=0)
        assert (fused[a] >= fused[at_least] - 1e-6).all()


def test_a_component_without_a_positive_score_is_silent():
    """A component of zeros and negatives counts as zeros, and halves what the other says."""
    fused = fuse([np.array([-1, 0, -3], np.float32), np.array([2, 1, 0], np.float32)])
    assert fused.tolist() == [0.5, 0.25, 0.0]


def test_no_candidates():
    """No candidates get no scores."""
    assert fuse([np.empty(0, np.float32), np.empty(0, np.float32)]).shape == (0,)
