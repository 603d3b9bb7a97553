"""A vector whose bytes changed on disk is never searched with: it is named, and computed anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simsearch.errors import DamagedError
from simsearch.runs.job import reindex, run
from simsearch.snapshots.verification import verify
from simsearch.storage.storage import Storage
from tests.storage.test_damage import flip_a_vector
from tests.support.small_runs import all_vectors, config_for


@pytest.mark.slow
def test_a_flipped_bit_in_a_shard_costs_the_vectors_of_that_shard(
    ray_local: None, tmp_path: Path
) -> None:
    config = config_for(str(tmp_path / "root"), "projection.methods=[]")
    first = run(config).snapshot
    before = all_vectors(first)
    storage = Storage(config.root)
    shards = [f"features/{info.path}" for info in storage.files("features")]
    assert len(shards) > 1
    flip_a_vector(tmp_path / "root" / shards[0])
    (problem,) = verify(first)
    assert shards[0] in problem
    changed = config_for(str(tmp_path / "root"), "projection.methods=[]", "index.trees=7")
    with pytest.raises(DamagedError, match="run the same command again") as raised:
        reindex(changed)
    assert shards[0] in str(raised.value)
    second = reindex(changed).snapshot
    assert second.snapshot_id != first.snapshot_id
    for space, vectors in all_vectors(second).items():
        np.testing.assert_array_equal(vectors, before[space])
    assert not list(verify(second))
    assert not list(verify(first))
