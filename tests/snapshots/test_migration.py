"""Roots of format 1: `root-of-format-1.tar.xz` was written by simsearch 0.1.0 before feature spaces
had names: `simsearch run root=/tmp/museum catalog.size=4 perturbations.profiles=[grayscale]
extract.backbones=[squeezenet1_1] extract.weights=['random:0'] projection.methods=[pca]
report.examples=1 evaluate.bootstrap=50 evaluate.neighbours=5 index.trees=3`."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from simsearch.cli.main import exit_code
from simsearch.errors import StorageError, UsageError
from simsearch.snapshots.migration import migrate
from simsearch.snapshots.published import latest_snapshot, list_snapshots
from simsearch.snapshots.root import open_root
from simsearch.snapshots.verification import verify
from simsearch.storage.storage import Storage
from tests.support.machines import TILES
from tests.support.places import Place

WRITTEN = Path(__file__).with_name("root-of-format-1.tar.xz")
OLD_ID = "1d8721ab147ba2a9"


def old_root(place: Place, scratch: Path) -> Storage:
    """The old root in a place, local or on S3."""
    folder = scratch / "old"
    with tarfile.open(WRITTEN) as archive:
        archive.extractall(folder, filter="data")
    storage = Storage(place.root, place.config)
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            storage.upload(file, str(file.relative_to(folder)))
    return storage


def test_an_old_root_is_refused_in_a_line_that_names_the_command(
    place: Place, tmp_path: Path
) -> None:
    storage = old_root(place, tmp_path)
    for opened in (open_root, latest_snapshot):
        with pytest.raises(StorageError, match=r"format 1, .*: simsearch migrate root="):
            opened(storage)


def test_a_migrated_root_is_whole_and_says_what_it_said(place: Place, tmp_path: Path) -> None:
    storage = old_root(place, tmp_path)
    folder = f"snapshots/{OLD_ID}"
    before = storage.read_table(f"{folder}/metrics/metrics.parquet")
    neighbours = storage.read_table(f"{folder}/neighbours/squeezenet1_1.exact.parquet")
    vectors = {info.path: info.etag for info in storage.files("features")}
    renamed = migrate(storage, lambda _: None)
    (snapshot,) = list_snapshots(storage)
    assert renamed == {OLD_ID: snapshot.snapshot_id}
    assert latest_snapshot(storage).snapshot_id == snapshot.snapshot_id
    assert list(verify(snapshot)) == []
    assert not storage.files(folder)
    assert {info.path: info.etag for info in storage.files("features")} == vectors
    (space,) = snapshot.plan().spaces
    assert (space.name, space.encoder) == ("squeezenet1_1", "squeezenet1_1")
    assert {path.partition("/")[0] for path in vectors} == {space.fingerprint}
    after = storage.read_table(snapshot.metrics_path)
    assert after.rename_columns(["backbone", *after.column_names[1:]]).equals(before)
    migrated = storage.read_table(snapshot.neighbours_path("squeezenet1_1", "exact"))
    assert migrated.rename_columns(["backbone", *migrated.column_names[1:]]).equals(neighbours)
    (record,) = (storage.read_json(f"runs/{info.path}") for info in storage.files("runs"))
    assert record["snapshot_id"] == snapshot.snapshot_id
    assert record["recovery"][0]["space"] == "squeezenet1_1"
    with pytest.raises(UsageError, match="nothing to migrate"):
        migrate(storage, lambda _: None)


@pytest.mark.parametrize("place", ["local"], indirect=True)
def test_an_interrupted_migration_goes_on(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = old_root(place, tmp_path)

    def pulled_plug(self: Storage, path: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "delete", pulled_plug)  # the new is written, the old still there
        with pytest.raises(KeyboardInterrupt):
            migrate(storage, lambda _: None)
    assert len(list_snapshots(storage)) == 2
    renamed = migrate(storage, lambda _: pytest.fail("rewritten once more"))
    (snapshot,) = list_snapshots(storage)
    assert renamed == {OLD_ID: snapshot.snapshot_id}
    assert list(verify(snapshot)) == []


@pytest.mark.ray
def test_a_migrated_root_goes_on_without_computing_a_vector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where new spaces would be begun in bfloat16: these vectors are float32."""
    TILES.simulate(monkeypatch)
    root = str(tmp_path / "root")
    old_root(Place(root, Storage(root).config), tmp_path)
    words = [f"root={root}", "catalog.size=4", "perturbations.profiles=[grayscale]"]
    words += ["extract.backbones=[squeezenet1_1]", "extract.weights=['random:0']"]
    words += ["perturbations.side=null"]  # full size, as these vectors were made
    for command, code in (("run", 1), ("migrate", 0), ("run", 0)):
        assert (
            exit_code([command, *words, "projection.methods=[]", "evaluate.bootstrap=50"]) == code
        )
    storage = Storage(root)
    steps = latest_snapshot(storage).manifest()["steps"]
    assert {step["name"]: step["items"] for step in steps}["extract"] == 0
