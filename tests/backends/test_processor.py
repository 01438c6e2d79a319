import pytest

from rag_qa.backends.processor import let_threads_sleep


@pytest.mark.parametrize(("policy", "kept"), [(None, "passive"), ("active", "active")])
def test_threads_sleep_unless_the_user_says_otherwise(monkeypatch, policy, kept):
    """OpenMP is asked for threads that sleep while they wait; a policy of the user's own stays."""
    environment = {} if policy is None else {"OMP_WAIT_POLICY": policy}
    monkeypatch.setattr("os.environ", environment)
    let_threads_sleep()
    assert environment == {"OMP_WAIT_POLICY": kept}
