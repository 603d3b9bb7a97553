"""Objects whose keys look like something else to URLs and to fsspec."""

from __future__ import annotations

import fsspec
import fsspec.asyn
import pytest

from simsearch.catalog import catalog
from simsearch.catalog.notes import Notes
from simsearch.settings.config import load_config
from simsearch.storage.storage import Storage, list_uri, read_uri
from tests.support.catalogs import jpeg
from tests.support.odd_tables import read
from tests.support.places import Place

KEYS = [
    "a b.jpg",
    "a+b.jpg",
    "a%20b.jpg",
    "a%2Fb.jpg",
    "a#b.jpg",
    "a?b.jpg",
    "a?versionId=7.jpg",
    "x//y.jpg",
    "//z.jpg",
    "x/./y.jpg",
    "ü*[1].jpg",
    "a;b.jpg",
    "a|b.jpg",
]


@pytest.fixture
def museum(s3_place: Place) -> Place:
    """A bucket with an object of its own content for each key, put by the client itself."""
    filesystem = fsspec.filesystem(
        "s3", client_kwargs={"endpoint_url": s3_place.config.endpoint_url}, use_listings_cache=False
    )
    bucket = s3_place.root.removeprefix("s3://")
    for number, key in enumerate(KEYS):
        body = jpeg() + str(number).encode()
        fsspec.asyn.sync(
            filesystem.loop,
            filesystem._call_s3,
            "put_object",
            Bucket=bucket,
            Key=f"folder/{key}",
            Body=body,
        )
    return s3_place


def test_each_key_is_listed_and_read_under_its_own_name(museum: Place) -> None:
    folder = f"{museum.root}/folder"
    listed = {info.uri: info.path for info in list_uri(folder, museum.config)}
    assert listed == {f"{folder}/{key}": key for key in KEYS}
    for number, key in enumerate(KEYS):
        assert read_uri(f"{folder}/{key}", museum.config) == jpeg() + str(number).encode()


@pytest.mark.parametrize("whole", [False, True])
def test_a_table_finds_each_key(museum: Place, whole: bool) -> None:
    folder = f"{museum.root}/folder"
    rows = [f'{number},"{folder + "/" if whole else ""}{key}"' for number, key in enumerate(KEYS)]
    text = "\n".join(["artwork_id,image_uri", *rows])
    Storage(museum.root, museum.config).write_bytes("folder/art.csv", text.encode())
    notes = Notes()
    table = read(museum, "art.csv", notes=notes).to_pylist()
    assert {row["artwork_id"]: row["image_uri"] for row in table} == {
        str(number): f"{folder}/{key}" for number, key in enumerate(KEYS)
    }
    assert all(row["etag"] for row in table)
    assert not any("several images" in line or "no row names" in line for line in notes.lines)


def test_a_folder_of_such_keys_is_read_whole(museum: Place) -> None:
    config = load_config(
        None,
        [
            f"root={museum.root}/root",
            "catalog.reader=folder",
            f"catalog.source={museum.root}/folder",
            f"storage.endpoint_url={museum.config.endpoint_url}",
        ],
    )
    table = catalog.read_catalog(config)
    assert table.num_rows == len(KEYS)
    for uri in table["image_uri"].to_pylist():
        assert read_uri(uri, museum.config).startswith(jpeg())


def test_a_version_of_an_object_is_found_and_read(s3_place: Place) -> None:
    filesystem = fsspec.filesystem(
        "s3", client_kwargs={"endpoint_url": s3_place.config.endpoint_url}, use_listings_cache=False
    )
    bucket = s3_place.root.removeprefix("s3://")
    filesystem.call_s3(
        "put_bucket_versioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    versions = [
        filesystem.call_s3("put_object", Bucket=bucket, Key="folder/a.jpg", Body=body)["VersionId"]
        for body in (jpeg("red"), jpeg("blue"))
    ]
    address = f"{s3_place.root}/folder/a.jpg"
    text = f"artwork_id,image_uri\nold,{address}?versionId={versions[0]}\nnew,{address}\ngone,{address}?versionId=7\n"
    Storage(s3_place.root, s3_place.config).write_bytes("folder/art.csv", text.encode())
    notes = Notes()
    rows = {row["artwork_id"]: row for row in read(s3_place, "art.csv", notes=notes).to_pylist()}
    assert read_uri(rows["old"]["image_uri"], s3_place.config) == jpeg("red")
    assert read_uri(rows["new"]["image_uri"], s3_place.config) == jpeg("blue")
    assert rows["old"]["etag"] != rows["new"]["etag"]
    assert rows["gone"]["etag"] is None
    assert notes.left_out["images named that are not there"][0] == 1
