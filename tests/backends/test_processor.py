import pytest

from rag_qa.backends import processor
from rag_qa.backends.processor import available_memory, let_threads_sleep, total_memory


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


def test_available_memory_is_what_linux_says(monkeypatch, tmp_path):
    """Where /proc/meminfo is, its MemAvailable counts, in bytes."""
    (tmp_path / "meminfo").write_text("MemTotal:       8000000 kB\nMemAvailable:   3000000 kB\n")
    monkeypatch.setattr(processor, "Path", lambda name: tmp_path / "meminfo")
    assert available_memory() == 3000000 * 1024


def test_elsewhere_all_memory_counts_as_available(monkeypatch, tmp_path):
    """Without /proc/meminfo the machine's memory counts, and None means that it is not known."""
    monkeypatch.setattr(processor, "Path", lambda name: tmp_path / "missing")
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.__getitem__)
    assert available_memory() == total_memory() == 4096000
    monkeypatch.delattr("os.sysconf")
    assert available_memory() is None
