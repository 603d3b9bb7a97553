"""Tiles: put together they are the picture; an image server is believed only so far."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from PIL import Image

from simsearch.explorer.server.app import create_app
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.zoom import FACTORS, Tiles, image_service, read_info
from tests.support.explorer_site import Rows, publish_gallery, running, settings

SIZE = (1300, 700)
BASE = "https://images.example/iiif/2/abc"


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("big") / "big.png"
    x, y = np.meshgrid(np.linspace(0, 255, SIZE[0]), np.linspace(0, 255, SIZE[1]))
    Image.fromarray(np.stack([x, y, 255 - x], axis=2).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def scans(big: Path) -> Iterator[httpx.Client]:
    def edit(rows: Rows) -> None:
        rows[1]["image_uri"] = big.as_uri()

    config = settings(str(big.parent / "data"))
    publish_gallery(config, big.parent / "gallery", count=6, edit=edit)
    with (
        running(create_app(config, [config.root])) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.mark.slow
def test_tiles_put_together_are_the_picture(scans: httpx.Client, big: Path) -> None:
    info = scans.get("/zoom/tiles.json", params={"id": "a/001?&é"}).json()
    assert (info["width"], info["height"], info["tile"]) == (*SIZE, 512)
    whole = Image.open(big).convert("RGB")
    for factor in (1, 2):
        assert factor in info["factors"]
        size = (-(-SIZE[0] // factor), -(-SIZE[1] // factor))
        image = Image.new("RGB", size)
        side = 512 * factor
        for row in range(-(-SIZE[1] // side)):
            for column in range(-(-SIZE[0] // side)):
                address = info["address"].format(factor=factor, column=column, row=row)
                tile = Image.open(io.BytesIO(scans.get(address).content))
                image.paste(tile, (column * 512, row * 512))
        shown = np.asarray(image).astype(int)
        differences = np.abs(shown - np.asarray(whole.resize(size)).astype(int))
        assert differences.max() < 20  # WebP's own loss
        assert differences.mean() < 3


@pytest.mark.parametrize("wrong", ["1-3-0", "1-0-2", "3-0-0", "1--1-0", "1-99999999-0", "4096-0-0"])
def test_a_tile_outside_the_picture_is_refused(scans: httpx.Client, wrong: str) -> None:
    info = scans.get("/zoom/tiles.json", params={"id": "a/001?&é"}).json()
    address = re.sub(r"/\{factor\}-\{column\}-\{row\}", f"/{wrong}", info["address"])
    assert scans.get(address).status_code in (400, 404)


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (
            {
                "@context": "http://iiif.io/api/image/2/context.json",
                "@id": "https://elsewhere.example/trap",
                "profile": ["http://iiif.io/api/image/2/level2.json"],
                "width": 9000,
                "height": 6000,
                "tiles": [{"width": 256, "scaleFactors": [1, 2, 4]}],
            },
            Tiles(9000, 6000, 256, (1, 2, 4), f"{BASE}/{{region}}/{{out}},/0/default.jpg", "https://images.example"),
        ),
        (
            {"type": "ImageService3", "profile": "level0", "width": 900, "height": 600,
             "tiles": [{"width": 512, "height": 512, "scaleFactors": [2, 1]}]},
            Tiles(900, 600, 512, (1, 2), f"{BASE}/{{region}}/{{out}},{{high}}/0/default.jpg", "https://images.example"),
        ),
        ({"type": "ImageService3", "profile": "level0", "width": 900, "height": 600}, None),
        ({"type": "ImageService3", "profile": "level2", "width": 900, "height": 600,
          "tiles": [{"width": 512, "scaleFactors": 8}]},
         Tiles(900, 600, 512, FACTORS, f"{BASE}/{{region}}/{{out}},{{high}}/0/default.jpg", "https://images.example")),
        ({"width": 10**9, "height": 5, "profile": "level2"}, None),
        ({"width": True, "height": 5, "profile": "level2"}, None),
        (["width"], None),
        (None, None),
    ],
)  # fmt: skip
def test_an_image_servers_description_is_read(info: object, expected: Tiles | None) -> None:
    assert read_info(info, BASE) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["width", "height", "tiles", "scaleFactors", "profile", "type"]), inner
        )
    ),
    max_leaves=12,
)


@pytest.mark.slow
@bounded(max_examples=60, deadline=None)
@given(JSON)
def test_no_description_breaks_the_reader_or_leads_elsewhere(info: object) -> None:
    service = read_info(info, BASE)
    assert service is None or (service.address.startswith(BASE) and 1 <= service.width <= 10**6)


@pytest.mark.slow
def test_a_downloaded_picture_is_looked_at_where_it_came_from() -> None:
    stored = ViewArtwork(0, 0, "", {"image_uri": "file:///root/images/downloaded/x-1.jpg"})
    url = f"{BASE}/full/843,/0/default.jpg"
    assert image_service(stored, {"file:///root/images/downloaded/x-1.jpg": url}) == BASE
    assert image_service(stored, {}) is None
    assert image_service(ViewArtwork(0, 0, "", {"image_uri": url}), {}) == BASE
    trap = {
        "file:///root/images/downloaded/x-1.jpg": "https://a;script-src b/x/full/1,/0/default.jpg"
    }
    assert image_service(stored, trap) is None
    for part in ("10,10,500,500/843,/0", "square/843,/0", "full/843,/90", "pct:0,0,50,50/full/0"):
        source = {"file:///root/images/downloaded/x-1": f"{BASE}/{part}/default.jpg"}
        assert image_service(stored, source) is None  # its tiles would show the whole
