"""A collection of odd names and odd files, as collections really have them, through the whole job twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simsearch.catalog.readers.generated import image_bytes
from simsearch.runs import job
from simsearch.settings.config import Config, load_config
from simsearch.storage.storage import Storage
from tests.support.places import SHARED, Place

pytestmark = pytest.mark.usefixtures("ray_local")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = SHARED / "odd-pictures" / "make.py"
    if not script.exists():
        pytest.skip(f"no maker of odd pictures at {script}")
    folder = tmp_path_factory.mktemp("odd") / "pictures"
    subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True)
    return folder


def config_for(place: Place, source: str) -> Config:
    endpoint = place.config.endpoint_url
    return load_config(
        None,
        [
            f"root={Storage(place.root).uri('root')}",
            "catalog.reader=folder",
            f"catalog.source={source}",
            *([f"storage.endpoint_url={endpoint}"] if endpoint else []),
            "extract.backbones=[efficientnet_lite0]",
            "extract.weights=['random:0']",
            "extract.precision=float32",
            "perturbations.profiles=[grayscale]",
            "perturbations.originals=20",
            "evaluate.bootstrap=20",
            "evaluate.ks=[1]",
            "report.examples=1",
            "projection.methods=[pca]",
        ],
    )


def laid_out(place: Place, odd: Path) -> str:
    """The odd collection's URI: its folder, or a copy of its regular files in the bucket."""
    if place.config.endpoint_url is None:
        return str(odd)
    storage = Storage(place.root, place.config).at("odd")
    for path in odd.rglob("*"):
        if path.is_file() and not path.is_symlink():
            storage.write_bytes(str(path.relative_to(odd)), path.read_bytes())
    return storage.root


@pytest.mark.parametrize(
    "place", [pytest.param("local", marks=pytest.mark.drill), "s3"], indirect=True
)
def test_the_odd_collection_runs_whole_and_is_unchanged_the_second_time(
    place: Place, odd: Path
) -> None:
    config = config_for(place, laid_out(place, odd))
    first = job.run(config)
    rejects = {row["artwork_id"]: row["reason"] for row in first.snapshot.rejects().to_pylist()}
    damaged = {name: reason for name, reason in rejects.items() if reason != "placeholder"}
    if os.geteuid() != 0 and place.config.endpoint_url is None:
        assert damaged.pop("noperm") == "not permitted"
    assert damaged == {"zero": "empty file", "html": "not an image"}
    placeholders = {name for name, reason in rejects.items() if reason == "placeholder"}
    assert placeholders == {f"same/{number:03}" for number in range(60)}
    originals = first.snapshot.images().filter(first.snapshot.images()["profile"].is_null())
    artwork_ids = set(originals["artwork_id"].to_pylist())
    assert {"jp2", "av", "pages", "sixteen", "clear", "émile", "hash#1", "new\nline"} <= artwork_ids
    assert len(artwork_ids) + len(rejects) == first.snapshot.plan().artworks
    second = job.run(config)
    assert second.record.outcome == "unchanged"
    assert [step.name for step in second.record.steps] == ["ingest"]
    assert second.snapshot.snapshot_id == first.snapshot.snapshot_id


@pytest.mark.parametrize(
    "place", ["local", pytest.param("s3", marks=pytest.mark.drill)], indirect=True
)
def test_a_file_that_is_not_there_keeps_no_night_awake_and_is_taken_when_it_comes(
    place: Place,
) -> None:
    storage = Storage(place.root, place.config).at("museum")
    for number in range(5):
        storage.write_bytes(f"{number}.jpg", image_bytes(1, number))
    rows = "".join(f"{number},{number}.jpg\n" for number in range(6))
    storage.write_bytes("art.csv", f"artwork_id,image_uri\n{rows}".encode())
    config = config_for(place, storage.uri("art.csv"))
    config = load_config_with(config, reader="table", share=0.5)
    first = job.run(config)
    assert [row["reason"] for row in first.snapshot.rejects().to_pylist()] == ["not found"]
    assert job.run(config).record.outcome == "unchanged"
    storage.write_bytes("5.jpg", image_bytes(1, 5))
    third = job.run(config)
    assert third.record.outcome == "published"
    assert third.snapshot.rejects().num_rows == 0


def load_config_with(config: Config, reader: str, share: float) -> Config:
    values = config.model_dump(mode="json")
    values["catalog"]["reader"] = reader
    values["extract"]["max_reject_share"] = share
    values["perturbations"]["suite"] = None
    values["publish"]["max_recovery_drop"] = 1  # one of five artworks changes recovery by 0.2
    return Config.model_validate(values)
