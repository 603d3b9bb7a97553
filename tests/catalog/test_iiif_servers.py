"""Image servers of every level: the address that the manifest names, and a size that they give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simsearch.errors import CatalogError
from tests.support.documents import Json, documents, image, manifest, read, service

V3 = {"type": "ImageService3"}


def asked(tmp_path: Path, info: Any, body: Json | None = None, **said: Any) -> str:
    """What is asked for of a picture whose manifest says `said` of its service, and its server `info`;
    the service's address is left out of it."""
    with documents() as web:
        web.files["/iiif/a/info.json"] = info
        own = {**service(f"{web.base}/iiif/a", 1), **said}
        web.files["/m.json"] = manifest(image(**{"service": [own], **(body or {})}))
        rows, _ = read(tmp_path, f"{web.base}/m.json")
        return str(rows[0]["image_uri"]).removeprefix(f"{web.base}/iiif/a/")


@pytest.mark.parametrize("own_id", [
    "http://localhost:8182/iiif/2/a", "https://x.test/iiif/a%252F1", "https://x.test/iiif/a/info.json",
    None, 7, "", [], {"@id": "x"},
])  # fmt: skip
@pytest.mark.parametrize("key", ["id", "@id"])
def test_the_address_of_the_manifest_stands(own_id: Any, key: str, tmp_path: Path) -> None:
    info = {key: own_id, "width": 6000, "height": 4000, "profile": "level1"}
    assert asked(tmp_path, info) == "full/1024,/0/default.jpg"


@pytest.mark.parametrize("form", ["/info.json", "/", "/info.json/", "#frag"])
def test_a_service_is_asked_below_its_id(form: str, tmp_path: Path) -> None:
    with documents() as web:
        web.files["/iiif/a%2Fb/info.json"] = {"width": 3000, "height": 4000, "profile": "level1"}
        own = service(f"{web.base}/iiif/a%2Fb{form}", 1)
        web.files["/m.json"] = manifest(image(service=[own]))
        rows, _ = read(tmp_path, f"{web.base}/m.json")
        assert rows[0]["image_uri"] == f"{web.base}/iiif/a%2Fb/full/768,/0/default.jpg"


SIZES = [{"width": 600, "height": 400}, {"width": 1500, "height": 1000}, {"width": 1500}, {}, 7]
TILES = [{"width": 256, "scaleFactors": [1, 2, 4]}]
PLAIN = "https://x.test/plain.jpg"


@pytest.mark.parametrize(("info", "address"), [
    ({"profile": "level0"}, PLAIN),
    ({"profile": "level0", "tiles": TILES}, PLAIN),
    ({"profile": "level0", "sizes": "none"}, PLAIN),
    ({"profile": "level0", "sizes": SIZES}, "full/1500,/0/default.jpg"),
    ({"profile": "level0", "sizes": SIZES, **V3, "@context": "http://iiif.io/api/image/3/context.json"}, "full/1500,1000/0/default.jpg"),
    ({"profile": "level0", "sizes": SIZES[:1], "tiles": TILES}, "full/600,/0/default.jpg"),
    ({"profile": ["level0", {"supports": ["sizeByW"]}]}, "full/1024,/0/default.jpg"),
    ({"profile": ["level0", {"supports": ["sizeByConfinedWh"]}]}, "full/!1024,1024/0/default.jpg"),
    ({"profile": "level1", "maxWidth": 640}, "full/640,/0/default.jpg"),
    ({"profile": "level1", "maxHeight": 400}, "full/600,/0/default.jpg"),
    ({"profile": "level1", "maxArea": 240_000}, "full/600,/0/default.jpg"),
    ({"profile": ["level2", {"maxWidth": 640}]}, "full/!640,640/0/default.jpg"),
    ({"profile": "level1", "width": "6000", "height": "4000"}, "full/1024,/0/default.jpg"),
    ({"profile": "level1", "width": 900, "height": 600}, "full/full/0/default.jpg"),
    (404, "full/1024,/0/default.jpg"),  # what the manifest says has to do
    ({"profile": "level1", "width": float("inf"), "height": None, "sizes": {"width": float("nan")}, "maxWidth": [], "maxArea": -1}, "full/1024,/0/default.jpg"),
])  # fmt: skip
def test_each_server_is_asked_for_what_it_gives(info: Any, address: str, tmp_path: Path) -> None:
    whole = {"width": 6000, "height": 4000, **info} if isinstance(info, dict) else info
    assert asked(tmp_path, whole, {"id": PLAIN}) == address


def test_a_canvas_is_no_measure_of_its_picture(tmp_path: Path) -> None:
    """A canvas of 100 × 80 may show a scan of 6,000 × 4,000 pixels."""
    with documents() as web:
        own = service(f"{web.base}/iiif/a")
        web.files["/iiif/a/info.json"] = {"width": 6000, "height": 4000, "profile": "level2"}
        document = manifest({"id": PLAIN, "type": "Image", "service": own})
        document["items"][0].update(width=100, height=80)
        web.files["/m.json"] = document
        rows, _ = read(tmp_path, f"{web.base}/m.json")
        assert rows[0]["image_uri"].endswith("/full/!1024,1024/0/default.jpg")


def test_a_server_without_parts_never_shows_the_whole_for_one(tmp_path: Path) -> None:
    selector = {"type": "ImageApiSelector", "region": "0,0,500,500"}
    info = {"width": 6000, "height": 4000, "profile": "level0", "sizes": SIZES}
    with documents() as web:
        web.files["/iiif/a/info.json"] = info
        source = image(service=[service(f"{web.base}/iiif/a", 0)])
        part = {"type": "SpecificResource", "source": source, "selector": selector}
        web.files["/m.json"] = manifest(part)
        with pytest.raises(CatalogError, match="1 canvases with a part of an image"):
            read(tmp_path, f"{web.base}/m.json")
        cut = f"{web.base}/iiif/a/0,0,500,500/full/0/default.jpg"
        web.files["/m.json"] = manifest({**part, "id": cut})  # one that it has ready
        rows, _ = read(tmp_path / "other", f"{web.base}/m.json")
        assert [row["image_uri"] for row in rows] == [cut]
