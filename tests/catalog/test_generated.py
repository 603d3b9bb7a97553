"""The generated collection: seeded, varied, in the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from simsearch.catalog.readers.generated import STYLES, describe, image_bytes
from tests.support.catalogs import read


@pytest.mark.slow
def test_the_generated_collection_is_the_same_each_time_and_differs_by_seed(tmp_path: Path) -> None:
    first = read(tmp_path, "catalog.size=30")
    assert first.equals(read(tmp_path, "catalog.size=30"))
    assert len({image_bytes(71, number) for number in range(30)}) == 30
    assert image_bytes(71, 4) == image_bytes(71, 4) != image_bytes(72, 4)
    assert describe(71, 4) == describe(71, 4)
    assert set(first["classification"].to_pylist()) == set(STYLES)
    larger = read(tmp_path, "catalog.size=40")
    assert larger.slice(0, 30).equals(first)


def test_generated_images_are_in_the_store_and_open(tmp_path: Path) -> None:
    table = read(tmp_path, "catalog.size=20")
    modes = set()
    for uri in table["image_uri"].to_pylist():
        with Image.open(uri.removeprefix("file://")) as image:
            image.load()
            modes.add(image.mode)
    assert {"RGB", "P", "RGBA"} <= modes
