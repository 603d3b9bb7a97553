"""Snapshots: named by their content, sealed once, seen whole or not at all."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.errors import LeaseError, NotFoundError, StorageError, UsageError
from simsearch.indexes.index import open_index
from simsearch.settings.config import Config
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.published import (
    find_snapshot,
    latest_snapshot,
    list_snapshots,
    point_latest,
)
from simsearch.snapshots.root import open_root, recognise, require_root
from simsearch.storage.storage import Storage
from simsearch.storage.uris import ROOT_MARKER
from tests.support.places import Place
from tests.support.small_snapshots import make_snapshot, vector_of
from tests.support.spaces import SPACE, rows

ABC = {"a": "1", "b": "2", "c": "3"}


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
    planned = plan(storage)
    assert plan(storage).snapshot_id == planned.snapshot_id
    assert plan(storage, images=rows(["a", "c"])).snapshot_id != planned.snapshot_id
    assert plan(storage, Config(seed=72)).snapshot_id != planned.snapshot_id


def test_a_plan_reads_back_equal(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    snapshot = plan(storage)
    read = snapshots.pending_snapshot(storage).plan()
    assert read.snapshot_id == snapshot.snapshot_id
    assert read.spaces == (SPACE,)
    assert read.profiles == Config().perturbations.profiles


def test_nobody_sees_a_snapshot_before_it_is_published(place: Place) -> None:
    storage = Storage(place.root, place.config)
    snapshot = make_snapshot(storage, ABC, publish=False)
    with pytest.raises(NotFoundError, match="no published snapshot"):
        latest_snapshot(storage)
    point_latest(snapshot, 1)
    assert latest_snapshot(storage).snapshot_id == snapshot.snapshot_id


def test_an_unfinished_snapshot_cannot_be_published(tmp_path: Path) -> None:
    snapshot = plan(Storage(str(tmp_path)))
    with pytest.raises(StorageError, match="unfinished"):
        point_latest(snapshot, 1)


def test_the_manifest_digests_every_file_and_every_input(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    snapshot = make_snapshot(storage, ABC)
    manifest = snapshot.manifest()
    folder = tmp_path / "snapshots" / snapshot.snapshot_id
    on_disk = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    } | {"indexes/test/manifest.json": _digest(folder / "indexes/test/manifest.json")}
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == on_disk
    inputs = manifest["inputs"]
    (catalog,) = (tmp_path / "catalog").glob("*.parquet")
    assert inputs["catalog_sha256"] == _digest(catalog)
    assert inputs["weights_sha256"] == {"test": "0" * 64}
    vectors = np.stack([vector_of(content) for _, content in sorted(ABC.items())])
    assert inputs["features_sha256"] == {
        SPACE.fingerprint: hashlib.sha256(vectors.tobytes()).hexdigest()
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_holder_that_was_overtaken_cannot_publish(place: Place) -> None:
    storage = Storage(place.root, place.config)
    old = make_snapshot(storage, ABC, publish=False)
    new = make_snapshot(storage, {**ABC, "d": "4"}, publish=False)
    point_latest(new, 8)
    with pytest.raises(LeaseError, match="a later run has published"):
        point_latest(old, 7)
    assert latest_snapshot(storage).snapshot_id == new.snapshot_id


def test_snapshots_are_found_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    first = make_snapshot(storage, ABC)
    second = make_snapshot(storage, {**ABC, "d": "4"})
    assert [snapshot.snapshot_id for snapshot in list_snapshots(storage)] == [
        second.snapshot_id,
        first.snapshot_id,
    ]
    assert find_snapshot(storage, first.snapshot_id[:9]) == first
    assert find_snapshot(storage, "latest") == second
    for name in ("", "zz"):
        with pytest.raises(UsageError, match="there are"):
            find_snapshot(storage, name)


@pytest.mark.slow
def test_a_reader_never_sees_a_mixture_while_snapshots_are_published(place: Place) -> None:
    """Fifty publications, readers in a loop: every file fits the manifest that LATEST led to."""
    storage = Storage(place.root, place.config)
    sealed = [
        make_snapshot(storage, {**ABC, f"new-{number}": str(number)}, publish=False)
        for number in range(5)
    ]
    point_latest(sealed[0], 1)
    done = threading.Event()

    def read() -> int:
        rounds = 0
        while not done.is_set() or not rounds:
            snapshot = latest_snapshot(storage)
            manifest = snapshot.manifest()
            assert manifest["snapshot_id"] == snapshot.snapshot_id
            index = open_index(storage, snapshot.index_folder("test"), SPACE.fingerprint)
            assert index.images.equals(snapshot.images())
            for name in ("neighbours/test.exact.parquet", "report/report.html"):
                data = storage.read_bytes(snapshot.path(name))
                assert hashlib.sha256(data).hexdigest() == manifest["files"][name]["sha256"]
            rounds += 1
        return rounds

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(50):
                point_latest(sealed[number % 5], number + 1)
        finally:
            done.set()  # else the readers would go on for ever
        assert sum(reader.result() for reader in readers) >= 2


def test_a_root_that_holds_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"thesis\.txt.*choose an empty folder"):
        open_root(Storage(str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("other", [1, 2, 4, None, "3"])
def test_a_root_of_another_format_is_refused_with_what_to_do(tmp_path: Path, other: object) -> None:
    storage = Storage(str(tmp_path))
    open_root(storage)
    open_root(storage)
    storage.write_json(ROOT_MARKER, {"format": other})
    for use in (open_root, require_root, recognise):
        with pytest.raises(StorageError, match=f"format {other!r}, .*; choose an empty folder"):
            use(storage)


@pytest.mark.parametrize("images", [0, 1, 7, 8, 30])
def test_the_images_of_a_plan_are_digested_as_one_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: int
) -> None:
    monkeypatch.setattr(snapshots, "LINES_AT_ONCE", 7)
    table = rows([f"é{number}" for number in range(images)])
    storage = Storage(str(tmp_path))
    rejects = schemas.REJECTS.empty_table()
    plan = snapshots.write_plan(storage, Config(), "c", (SPACE,), {}, table, rejects, images).plan()
    lines = [f"{row['image_id']} {row['content_hash']}" for row in table.to_pylist()]
    assert plan.images_sha256 == hashlib.sha256("\n".join(lines).encode()).hexdigest()
