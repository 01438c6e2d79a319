"""Short runs of eval/studies/index_faults.py: readers beside a writer, and processes killed at random."""

import pytest

from eval.studies import index_faults

pytestmark = pytest.mark.process


def test_readers_of_both_kinds_beside_a_writer(tmp_path):
    """Readers that open Chroma, readers that do not, a doctor and a writer see no fault, and none of them rebuilds."""
    found = index_faults.readers(tmp_path, seconds=8, exact=1, hnsw=2, doctors=1, writers=1)
    assert found["needless_rebuilds"] == 0
    assert {outcome for role in found["outcomes"].values() for outcome in role} == {"ok"}


def test_killed_at_random(tmp_path):
    """Runs that are killed at random times lose nothing, and the next run makes what one run would have made."""
    counts = index_faults.kills(tmp_path, 4, seed=1)["counts"]
    assert counts["lost"] == counts["leftovers"] == 0
    assert counts["next run ok"] == counts["search ok"] == counts["equal to one built at once"] == 4
