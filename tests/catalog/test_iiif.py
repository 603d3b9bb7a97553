"""IIIF: both Presentation versions, the image at the size that is used, rights kept, polite and resumable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simsearch.catalog import catalog
from simsearch.catalog.iiif import parse
from simsearch.catalog.iiif_pictures import Canvas
from simsearch.catalog.image_api import image_address, needs_info
from simsearch.catalog.notes import Notes
from simsearch.catalog.readers import iiif as reader
from simsearch.errors import CatalogError
from simsearch.settings.config import Config, load_config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import Storage, read_uri
from tests.support.iiif_server import IiifServer, picture
from tests.support.places import Place

DOWNLOAD = "private_networks: true, per_second: 2000, attempts: 2, timeout: 10"


def config_for(place: Place, source: str, *overrides: str, download: str = DOWNLOAD) -> Config:
    endpoint = place.config.endpoint_url
    return load_config(
        None,
        [
            f"root={Storage(place.root).uri('root')}",
            "catalog.reader=iiif",
            f"catalog.source={source}",
            f"catalog.download={{{download}}}",
            *([f"storage.endpoint_url={endpoint}"] if endpoint else []),
            *overrides,
        ],
    )


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(str(tmp_path), StorageConfig())


@pytest.fixture(params=[2, 3])
def server(request: pytest.FixtureRequest) -> Iterator[IiifServer]:
    with IiifServer(images=7, pages=3, version=request.param).running() as running:
        yield running


def test_a_paged_collection_becomes_an_artwork_per_manifest(
    server: IiifServer, here: Place
) -> None:
    notes = Notes()
    rows = catalog.read_catalog(config_for(here, server.collection), notes).to_pylist()
    assert len(rows) == 7
    host = server.base.removeprefix("http://")
    assert rows[3]["artwork_id"] == f"{host}/m/3"
    assert rows[3]["title"] == "Picture 3"
    assert rows[3]["artists"] == ["Ann", "Bob"]
    assert rows[3]["date"] == "1884"
    assert rows[3]["rights"] == "http://creativecommons.org/publicdomain/mark/1.0/"
    assert rows[3]["attribution"] == "Test Museum & Friends"
    assert rows[3]["url"] == "https://museum.test/3"
    assert rows[3]["image_uri"] == f"{server.base}/image/3/full/!1024,1024/0/default.jpg"
    assert any("7 manifests in 4 collections and pages" in line for line in notes.lines)
    assert not server.asked_for("info.json")  # level 2 in the manifest says enough


@pytest.mark.slow
def test_images_are_fetched_once_and_again_only_when_they_changed(
    server: IiifServer, place: Place
) -> None:
    config = config_for(place, server.collection, download=f"enabled: true, {DOWNLOAD}")
    first = catalog.ingest(config).table
    assert all(uri.startswith(Storage(place.root).root) for uri in first["image_uri"].to_pylist())
    assert len(server.asked_for("/full/")) == 7
    server.asked.clear()
    second = catalog.ingest(config).table
    assert second.equals(first)
    assert not server.asked_for("manifest|/full/")  # younger than check_again_days
    eager = config_for(
        place, server.collection, download=f"enabled: true, check_again_days: 0, {DOWNLOAD}"
    )
    server.statuses.clear()
    third = catalog.ingest(eager).table
    assert third.equals(first)
    assert server.statuses[304] >= 14  # all manifests and images, each unchanged
    server.edition = 2
    fourth = catalog.ingest(eager).table
    before, after = (
        {read_uri(uri, place.config) for uri in table["image_uri"].to_pylist()}
        for table in (first, fourth)
    )
    assert before == {picture(number + 1) for number in range(7)}  # kept as they were
    assert after == {picture(number + 2) for number in range(7)}


def test_an_interrupted_ingest_goes_on_where_it_stopped(
    server: IiifServer, here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(here, server.collection)
    whole = reader._artworks
    done: list[str] = []

    def interrupted(library: Any, url: str, document: Any, notes: Any) -> Any:
        done.append(url)
        if len(done) == 5:
            raise KeyboardInterrupt
        return whole(library, url, document, notes)

    monkeypatch.setattr(reader, "_artworks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        catalog.read_catalog(config)
    monkeypatch.setattr(reader, "_artworks", whole)
    asked = len(set(server.asked_for("manifest")))
    server.asked.clear()
    assert catalog.read_catalog(config).num_rows == 7
    assert len(server.asked_for("manifest")) == 7 - asked


def test_a_manifest_in_a_store_is_read_too(server: IiifServer, place: Place) -> None:
    storage = Storage(place.root, place.config)
    storage.write_bytes("manifest.json", json.dumps(server.document("/m/4/manifest.json")).encode())
    table = catalog.read_catalog(config_for(place, storage.uri("manifest.json")))
    assert table["title"].to_pylist() == ["Picture 4"]


def test_what_is_no_iiif_document_is_named(server: IiifServer, here: Place) -> None:
    with pytest.raises(CatalogError, match=r"nothing\.json: HTTP 404; check catalog\.source"):
        catalog.read_catalog(config_for(here, f"{server.base}/nothing.json"))
    with pytest.raises(CatalogError, match="no IIIF manifest or collection"):
        catalog.read_catalog(
            config_for(
                here,
                f"{server.base}/m/1/manifest.json?".replace(
                    "m/1/manifest.json?", "image/1/info.json#"
                ),
            )
        )


def test_private_networks_are_refused_unless_allowed(server: IiifServer, here: Place) -> None:
    with pytest.raises(CatalogError, match=r"127\.0\.0\.1, in a private network"):
        catalog.read_catalog(config_for(here, server.collection, download="attempts: 1"))
    assert not server.asked


def test_robots_are_followed_unless_told_otherwise(server: IiifServer, here: Place) -> None:
    server.robots = "User-agent: *\nDisallow: /m/3\nDisallow: /*info.json$\n"
    notes = Notes()
    table = catalog.read_catalog(config_for(here, server.collection), notes)
    assert table.num_rows == 6
    count, example = notes.left_out["manifests that could not be read"]
    assert (count, "robots.txt forbids it" in example) == (1, True)
    assert not server.asked_for("/m/3/")
    rude = config_for(here, server.collection, download=f"robots: false, {DOWNLOAD}")
    assert catalog.read_catalog(rude).num_rows == 7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "level", "max_width", "size"),
    [
        (2, 2, None, "!1024,1024"),
        (2, 1, None, "1024,"),
        (2, 0, None, "1500,"),  # the smallest of `sizes` that is large enough
        (3, 0, None, "1500,1000"),
        (3, 1, 640, "640,"),
        (2, 1, 640, "640,"),
    ],
)
def test_servers_that_do_less_are_asked_for_what_they_give(
    version: int, level: int, max_width: int | None, size: str, here: Place
) -> None:
    with IiifServer(images=1, pages=1, version=version, level=level).running() as server:
        server.max_width = max_width
        (row,) = catalog.read_catalog(config_for(here, server.collection)).to_pylist()
        assert row["image_uri"] == f"{server.base}/image/0/full/{size}/0/default.jpg"


def test_small_images_are_not_asked_for_larger() -> None:
    service = {"id": "https://x.test/1", "type": "ImageService3", "profile": "level2"}
    small = Canvas(None, None, service, 500, 900)
    assert image_address(small, None, 1024) == "https://x.test/1/full/max/0/default.jpg"
    assert not needs_info(small)
    area = {**service, "width": 6000, "height": 4000, "maxArea": 240_000}
    large = Canvas(None, None, service, 6000, 4000)
    assert image_address(large, area, 1024) == "https://x.test/1/full/!600,600/0/default.jpg"


@pytest.mark.parametrize(
    "value",
    [
        [],
        "text",
        {"type": "Manifest", "items": "x"},
        {
            "@type": "sc:Manifest",
            "sequences": [3, {"canvases": [None, {"images": [{"resource": 7}]}]}],
        },
        {
            "type": "Manifest",
            "items": [
                {"items": [{"items": [{"body": {"id": "file:///etc/passwd", "type": "Image"}}]}]}
            ],
        },
        {
            "type": "Manifest",
            "label": {"en": {"en": []}},
            "metadata": [1, {"label": 3}],
            "rights": [[]],
        },
    ],
)
def test_hostile_documents_are_passed_over(value: Any) -> None:
    document = parse(value)
    assert document is None or not document.canvases
