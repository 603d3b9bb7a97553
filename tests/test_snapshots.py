"""Snapshots: named by their content, sealed once, seen whole or not at all."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from simsearch import schemas, snapshots
from simsearch.config import Config
from simsearch.errors import NotFoundError, StorageError
from simsearch.storage import Storage
from tests.test_feature_store import rows
from tests.test_index import SPACE


def plan(
    storage: Storage, config: Config | None = None, images: pa.Table | None = None
) -> snapshots.Snapshot:
    return snapshots.write_plan(
        storage,
        config or Config(),
        "catalog-1",
        (SPACE,),
        {"test": "asked for"},
        rows(["a", "b"]) if images is None else images,
        schemas.REJECTS.empty_table(),
        2,
    )


def test_the_same_extraction_plans_the_same_snapshot(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    one = plan(storage)
    assert plan(storage).snapshot_id == one.snapshot_id
    assert plan(storage, images=rows(["a", "c"])).snapshot_id != one.snapshot_id
    assert plan(storage, Config(seed=72)).snapshot_id != one.snapshot_id


def test_a_plan_reads_back_equal(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    snapshot = plan(storage)
    read = snapshots.pending_snapshot(storage).plan()
    assert read.snapshot_id == snapshot.snapshot_id
    assert read.spaces == (SPACE,)
    assert read.profiles == Config().perturbations.profiles


def test_nobody_sees_a_snapshot_before_it_is_published(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    snapshot = plan(storage)
    with pytest.raises(NotFoundError, match="no published snapshot"):
        snapshots.latest_snapshot(storage)
    assert not snapshot.published()
    snapshots.publish(snapshot, [], {})
    assert snapshots.latest_snapshot(storage).snapshot_id == snapshot.snapshot_id


def test_the_manifest_digests_every_file(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    snapshot = plan(storage)
    storage.write_bytes(snapshot.path("indexes/test/index.ann"), b"trees")
    snapshots.publish(snapshot, [], {})
    files = storage.read_json(snapshot.path("manifest.json"))["files"]
    assert files["indexes/test/index.ann"] == {
        "sha256": hashlib.sha256(b"trees").hexdigest(),
        "bytes": 5,
    }
    assert set(files) == {
        "plan.json",
        "images.parquet",
        "rejects.parquet",
        "indexes/test/index.ann",
    }


def test_a_root_that_holds_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"thesis\.txt.*choose an empty folder"):
        snapshots.open_root(Storage(str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_root_of_another_format_is_refused(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    snapshots.open_root(storage)
    snapshots.open_root(storage)
    storage.write_json(snapshots.ROOT_MARKER, {"format": 2})
    with pytest.raises(StorageError, match="format 2"):
        snapshots.open_root(storage)
