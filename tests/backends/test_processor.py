import pytest

from rag_qa.backends.processor import let_threads_sleep


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"GOMP_SPINCOUNT": "1000"}),
        ({"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
    ],
)
def test_threads_sleep_soon_unless_the_user_says_otherwise(monkeypatch, before, after):
    """OpenMP is asked for threads that spin briefly while they wait; a policy of the user's own stays."""
    environment = dict(before)
    monkeypatch.setattr("os.environ", environment)
    let_threads_sleep()
    assert environment == after
