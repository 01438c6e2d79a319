"""Damage at random to every file of an index is told, mended or without effect, and doctor mends it."""

import pytest

from eval.studies.damage import BAD, run_damages


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("dense", ["exact", "hnsw"])
def test_no_damage_is_silent(tmp_path, dense):
    """Of forty damages none gives a wrong result in silence, a traceback or a crash, and none is left unmended."""
    outcomes = list(run_damages(tmp_path, 40, seed=1, dense=dense))
    assert [outcome for outcome in outcomes if outcome.what in BAD] == []
    assert {"told", "mended", "no effect"} & {outcome.what for outcome in outcomes}
