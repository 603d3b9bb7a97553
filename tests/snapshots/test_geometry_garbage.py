"""Points and agreements of pictures that no kept snapshot shows are garbage; all others stay."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from simsearch.features.points import (
    AGREEMENTS,
    POINTS,
    agreements_parts,
    fingerprint_of,
    points_parts,
)
from simsearch.settings.config import Config, load_config
from simsearch.snapshots.garbage import find_garbage
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot

FUTURE = 2e10


def garbage_of(storage: Storage) -> set[str]:
    paths = {file.path for file in find_garbage(storage, keep=1, older_than=FUTURE)}
    return {path for path in paths if path.startswith(("points/", "agreements/"))}


@pytest.mark.slow
def test_points_go_with_the_last_snapshot_that_shows_their_picture(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    make_snapshot(storage, {"a": "p1", "b": "p2"})
    settled, other = fingerprint_of(Config()), "sift-of-other-settings"
    paths = {}
    for fingerprint in (settled, other):
        for hashes in (("p1", "gone"), ("gone", "lost")):
            table = pa.table(
                {"content_hash": hashes, "count": [0, 0], "points": [b"", b""]}, schema=POINTS
            )
            paths[fingerprint, hashes] = points_parts(storage, fingerprint).write(table)
        for pair in (("p1", "p2"), ("gone", "p1")):
            rows = [{"first_hash": pair[0], "second_hash": pair[1]}]
            table = pa.Table.from_pylist(rows, schema=AGREEMENTS)
            paths[fingerprint, pair] = agreements_parts(storage, f"{fingerprint}-1").write(table)
    needed = {paths[settled, ("p1", "gone")], paths[settled, ("p1", "p2")]}
    assert garbage_of(storage) == set(paths.values()) - needed
    make_snapshot(storage, {"a": "p1"}, config=load_config(None, ["geometry.enabled=false"]))
    assert garbage_of(storage) == set(paths.values())
