"""A vector that is gone or whose bytes changed is never searched with: it is named, and computed anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simsearch.errors import DamagedError
from simsearch.runs import job
from simsearch.runs.job import reindex, run
from simsearch.snapshots.verification import verify
from simsearch.storage.storage import Storage
from tests.storage.test_damage import flip_a_vector
from tests.support.small_runs import all_vectors, config_for
from tests.support.small_snapshots import make_snapshot


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


@pytest.mark.slow
def test_a_night_without_changes_still_finds_shards_that_are_gone_or_cut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = Storage(str(tmp_path / "root"))
    make_snapshot(storage, {"a": "1", "b": "2"})
    (older,) = storage.files("features")
    snapshot = make_snapshot(storage, {"b": "2", "c": "3", "d": "4"})
    (newer,) = set(storage.files("features")) - {older}
    path = f"features/{newer.path}"
    assert job._has_all_vectors(snapshot)
    data = storage.read_bytes(path)
    storage.write_bytes(path, data[: len(data) // 2])
    assert not job._has_all_vectors(snapshot)
    assert path in caplog.text
    storage.delete(path)  # the older shard still has b's vector, one of those in it
    assert not job._has_all_vectors(snapshot)
    assert "2 vectors of the published snapshot are missing" in caplog.text
