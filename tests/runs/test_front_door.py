"""`simsearch run FOLDER`: where its root and settings lie, and which networks take part."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from simsearch.catalog.recognition import RecognisedCollection
from simsearch.encoders.weight_files import NotHereError
from simsearch.errors import ConfigError, UsageError, WeightsError
from simsearch.runs import front_door, reachable_networks
from simsearch.runs.front_door import FrontDoor, open_front_door
from simsearch.settings.config import load_config
from simsearch.snapshots.root import open_root
from simsearch.storage.storage import Storage
from tests.support.catalogs import jpeg
from tests.support.places import Place

NETWORKS = "extract.backbones=[efficientnet_lite0]"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "museum" / "scans"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(jpeg())
    return folder


def opened(place: Path | str, *words: str) -> FrontDoor:
    door = open_front_door(str(place), [NETWORKS, *words])
    door.write()
    return door


def test_root_and_settings_lie_beside_and_the_file_gives_the_same_settings(scans: Path) -> None:
    door = opened(f"{scans}/", "seed=3", "extract.retry_rejects=true", "publish.force=true")
    assert door.config.root == f"{scans}-simsearch"
    assert door.file == Path(f"{scans}-simsearch.yaml")
    assert door.config.extract.retry_rejects
    stored = load_config(door.file)
    # Settings for one run only are not written to the file.
    assert not stored.extract.retry_rejects
    assert stored == open_front_door(str(scans), []).config
    assert (stored.seed, stored.catalog.reader, stored.catalog.source) == (3, "folder", str(scans))


def test_what_was_edited_is_used_and_never_overwritten(
    scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file = opened(scans).file
    edited = file.read_text().replace("originals: 1000", "originals: 7")
    file.write_text(edited)
    door = opened(scans, "seed=9")
    assert (door.config.perturbations.originals, door.config.seed) == (7, 9)
    assert file.read_text() == edited
    assert f"settings: those of {file}, with {NETWORKS} seed=9 for this run alone" in caplog.text


@pytest.mark.parametrize("name", ["art.csv", "art.v2.csv.gz", "art.jsonl"])
def test_a_tables_root_is_called_like_the_table(name: str, tmp_path: Path) -> None:
    rows = b'{"artwork_id": "1", "image_uri": "1.jpg"}\n'
    rows = rows if name.endswith("jsonl") else b"artwork_id,image_uri\n1,1.jpg\n"
    (tmp_path / name).write_bytes(gzip.compress(rows) if name.endswith(".gz") else rows)
    door = opened(tmp_path / name)
    assert door.config.root == str(tmp_path / "art-simsearch")
    assert door.config.catalog.download.enabled  # its images may lie on the web


def test_no_root_inside_of_what_is_read(scans: Path) -> None:
    for root in (f"{scans}/root", str(scans), f"{scans}/../scans/root"):
        with pytest.raises(UsageError, match="lies inside of"):
            opened(scans, f"root={root}")
    link = scans.parent / "link"
    link.symlink_to(scans)
    with pytest.raises(UsageError, match="lies inside of"):
        opened(scans, f"root={link}/root")


def test_two_collections_never_share_settings(scans: Path) -> None:
    opened(scans)
    table = scans.parent / "scans.csv"
    table.write_text("artwork_id,image_uri\n1,1.jpg\n")
    with pytest.raises(UsageError, match="holds the settings of another collection"):
        opened(table)


def test_what_has_no_place_beside_it_asks_for_a_root() -> None:
    for place in ("/", "s3://bucket"):
        with pytest.raises(UsageError, match="root=FOLDER"):
            opened(place)


def test_a_wrong_word_is_named_before_anything_is_written(scans: Path) -> None:
    with pytest.raises(ConfigError, match=r"seeds: no such setting"):
        opened(scans, "seeds=3")
    assert not Path(f"{scans}-simsearch.yaml").exists()


def test_the_settings_mean_the_same_in_each_working_directory(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "imagenet").mkdir()
    monkeypatch.chdir(tmp_path)
    door = opened("museum/scans", "root=out", "extract.weights=[weights, imagenet]")
    assert door.config.root == str(tmp_path / "out")
    assert door.config.extract.weights == (str(tmp_path / "weights"), "imagenet")
    monkeypatch.chdir(scans)
    assert load_config(door.file) == door.config
    assert open_front_door(str(scans), [f"root={tmp_path}/out"]).config == door.config


@pytest.mark.parametrize(
    ("place", "word", "message"),
    [
        ("", "seed=1", "an empty word"),
        ("{scans}", "catalog.source=elsewhere", "the collection is given already"),
        ("{scans}", "catalog={reader: table}", "give its settings one by one"),
        ("{scans}", "root=/", "holds all files of this machine"),
    ],
)
def test_a_word_that_would_lead_elsewhere_is_refused(
    place: str, word: str, message: str, scans: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        opened(place.format(scans=scans), word)
    assert [path.name for path in scans.parent.iterdir()] == ["scans"]


def test_settings_of_a_run_that_never_began_are_not_kept(scans: Path) -> None:
    door = open_front_door(str(scans), [NETWORKS])

    def fail(before: bool) -> None:
        with door.keep_settings():
            assert door.file.exists()
            if not before:
                open_root(Storage(door.config.root))
            raise UsageError("no encoder of this name")

    for before in (True, False):
        with pytest.raises(UsageError):
            fail(before)
        assert door.file.exists() is not before


def test_a_login_in_an_address_is_in_no_message_and_no_file_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        front_door, "recognise", lambda place, *_: RecognisedCollection("iiif", place)
    )
    address = "https://me:S3CR3T@x.test/c.json?token=S3CR3T"
    door = opened(address)
    assert load_config(door.file).catalog.source == address
    assert door.file.stat().st_mode & 0o77 == 0
    assert "S3CR3T" not in door.text.partition("\n\n")[0]
    opened(address, "catalog.images=https://x.test/?key=S3CR3T")
    with pytest.raises(UsageError, match="another collection") as raised:
        opened("https://x.test/c.json")
    assert "S3CR3T" not in caplog.text + str(raised.value)


@pytest.mark.slow
def test_networks_are_those_whose_weights_can_be_had(
    scans: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(reachable_networks, "probe", refuse_all_but("resnet152"))
    door = open_front_door(str(scans), [])
    assert door.config.extract.backbones == ("efficientnet_lite0", "resnet152")
    assert "network resnet152: weights are downloaded, 230 MB" in caplog.text
    assert "without vgg16, densenet201 of the study" in caplog.text
    weights = tmp_path / "weights"
    weights.mkdir()
    with pytest.raises(WeightsError, match=r"add extract\.weights=\[FOLDER\]") as raised:
        open_front_door(str(scans), [f"extract.weights=[{weights}, 'random:0']"])
    assert "\n" not in str(raised.value)
    (weights / "vgg16.pth").touch()
    chosen = open_front_door(str(scans), [f"extract.weights=[{weights}]"])
    assert chosen.config.extract.backbones == ("vgg16",)


def refuse_all_but(name: str) -> Callable[[str], None]:
    """A publisher that has the weights of one network alone."""

    def probe(url: str) -> None:
        if name not in url:
            raise NotHereError("not cached and cannot be downloaded: no network")

    return probe


def test_a_bucket_prefix_has_its_root_beside_and_its_settings_here(
    s3_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Storage(s3_place.root, s3_place.config).write_bytes("scans/a.jpg", jpeg())
    endpoint = f"storage.endpoint_url={s3_place.config.endpoint_url}"
    door = opened(f"{s3_place.root}/scans", endpoint)
    assert door.config.root == f"{s3_place.root}/scans-simsearch"
    assert door.file == tmp_path / "scans-simsearch.yaml"
    assert load_config(door.file) == door.config
    with pytest.raises(UsageError, match="nothing is there"):
        opened(f"{s3_place.root}/none", endpoint)
