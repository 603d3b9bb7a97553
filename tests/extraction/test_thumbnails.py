"""Thumbnails that come with the vectors: where the explorer looks for them, whole, and made once."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from simsearch import schemas
from simsearch.extraction.decode import DecodeSettings, decode_images
from simsearch.extraction.needs import Orphans
from simsearch.images.identity import content_hash
from simsearch.images.preprocessing import Preprocessing
from simsearch.images.thumbnails import sizes_of, thumbnail_path
from simsearch.settings.config import Config
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import Storage
from tests.support.places import Place


def storage_of(place: Place) -> Storage:
    return Storage(place.root, place.config)


def picture(side: int, seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((side, side * 2 // 3)).save(buffer, "JPEG")
    return buffer.getvalue()


def decoded(place: Place, files: dict[str, bytes], folder: Path) -> None:
    """Extract one batch of these files, without copies."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    config = Config(root=place.root, storage=place.config)
    settings = DecodeSettings(
        storage=storage_of(place),
        remake=config.remake(),
        profiles=(),
        preprocessings=(Preprocessing(32, 32, "bilinear", (0, 0, 0), (1, 1, 1)),),
        orphans=Orphans.none(variants=1, spaces=1),
        thumbnails=sizes_of(config.perturbations.side),
    )
    count = len(files)
    batch = {
        "artwork_id": np.array(list(files)),
        "image_uri": np.array([(folder / name).as_uri() for name in files]),
        "etag": np.array(["1"] * count),
    }
    decode_images(batch, np.ones((len(batch["etag"]), 1, 1), bool), settings)


@pytest.mark.slow
def test_each_picture_that_can_be_read_gets_its_thumbnails_once(
    place: Place, tmp_path: Path
) -> None:
    large, small = picture(1600, 1), picture(300, 2)
    files = {"large.jpg": large, "small.jpg": small, "twin.jpg": small, "torn.jpg": large[:5000]}
    decoded(place, files, tmp_path)
    expected = {
        thumbnail_path(content_hash(data), size): min(size, longest)
        for data, longest in ((large, 1600), (small, 300))
        for size in (96, 400)
    }
    stored = {f"thumbnails/{info.path}": info for info in storage_of(place).files("thumbnails")}
    assert set(stored) == set(expected)
    for path, longest in expected.items():
        shown = Image.open(io.BytesIO(storage_of(place).read_bytes(path)))
        assert (shown.format, max(shown.size)) == ("WEBP", longest)
    path = thumbnail_path(content_hash(large), 400)
    reduced = Image.open(io.BytesIO(storage_of(place).read_bytes(path))).convert("RGB")
    source = Image.open(io.BytesIO(large)).resize(reduced.size)
    difference = np.abs(np.asarray(source, int) - np.asarray(reduced, int))
    assert difference.mean() < 4  # WebP's own loss

    lost, *kept = expected
    storage_of(place).delete(lost)
    storage_of(place).write_bytes(kept[0], b"stays as it is")
    decoded(place, files, tmp_path)  # like a run that resumes after a crash
    assert storage_of(place).exists(lost)
    assert storage_of(place).read_bytes(kept[0]) == b"stays as it is"


def test_a_picture_that_fails_after_it_was_decoded_costs_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, odd = picture(300, 1), picture(299, 2)

    def failing(self: Preprocessing, image: Image.Image) -> np.ndarray[Any, Any]:
        if image.width == 299:
            raise OSError("encoder error -2")
        return np.zeros((32, 32, 3), np.uint8)

    monkeypatch.setattr(Preprocessing, "pixels", failing)
    storage = Storage(str(tmp_path / "root"))
    place = Place(storage.root, storage.config)
    decoded(place, {"odd.jpg": odd, "good.jpg": good}, tmp_path)
    (reject,) = read_parts(storage, "rejects", schemas.REJECTS).to_pylist()
    assert (reject["artwork_id"], reject["stage"]) == ("odd.jpg", "decode")
    assert reject["detail"] == "decoded, but then: OSError: encoder error -2"
    (source,) = read_parts(storage, "sources", schemas.SOURCES).to_pylist()
    assert source["content_hash"] == content_hash(good)


def test_pictures_read_smaller_than_a_thumbnail_are_not_passed_off_as_one() -> None:
    assert sizes_of(None) == sizes_of(1024) == (96, 400)
    assert sizes_of(256) == (96,)
