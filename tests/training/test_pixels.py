"""Pixels to learn from are the extraction's own, and are decoded once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from simsearch import schemas
from simsearch.extraction.decode import DecodeSettings
from simsearch.extraction.needs import Orphans
from simsearch.images.identity import content_hash
from simsearch.images.perturbations import get_profile, perturb
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.config import Config
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import Storage
from simsearch.training.data import _decode_part, _list_stored, read_pixels

SHOWN = Preprocessing(32, 32, "bilinear", (0.0,) * 3, (1.0,) * 3)
PROFILES = ("grey-4", "blur-4")


@pytest.fixture
def stored(tmp_path: Path) -> Storage:
    """Two pictures and one that is none, decoded into `pixels`."""
    storage = Storage(str(tmp_path / "root"))
    random = np.random.default_rng(1)
    for name in ("a", "b"):
        picture = random.integers(0, 256, (40, 60, 3)).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    (tmp_path / "c.png").write_bytes(b"no picture")
    names = ["a", "b", "c"]
    batch = {
        "artwork_id": np.array(names, dtype=object),
        "image_uri": np.array(
            [(tmp_path / f"{name}.png").as_uri() for name in names], dtype=object
        ),
        "etag": np.array(["1", "2", "3"], dtype=object),
    }
    settings = DecodeSettings(
        storage=storage,
        remake=Config(seed=7).remake(),
        profiles=PROFILES,
        preprocessings=(SHOWN,),
        orphans=Orphans.none(variants=3, spaces=1),
    )
    _decode_part(batch, settings, "pixels")
    return storage


def test_pixels_are_those_an_encoder_would_be_shown(stored: Storage, tmp_path: Path) -> None:
    pixels = read_pixels(stored, "pixels", 32)
    assert pixels.rows["artwork_id"].to_pylist() == ["a"] * 3 + ["b"] * 3
    assert pixels.rows["profile"].to_pylist() == [None, "blur-4", "grey-4"] * 2
    data = (tmp_path / "b.png").read_bytes()
    original = Image.open(tmp_path / "b.png").convert("RGB")
    np.testing.assert_array_equal(pixels.pixels[3], SHOWN.pixels(original))
    copy = perturb(
        original,
        get_profile("grey-4"),
        reencode_jpeg=True,
        seed=7,
        content_hash=content_hash(data),
    )
    np.testing.assert_array_equal(pixels.pixels[5], SHOWN.pixels(copy))


def test_a_picture_that_cannot_be_read_is_a_reject(stored: Storage) -> None:
    rejects = read_parts(stored, "rejects", schemas.REJECTS).to_pylist()
    assert [(row["artwork_id"], row["stage"]) for row in rejects] == [("c", "decode")]


@pytest.mark.slow
def test_only_what_is_whole_counts_as_decoded(stored: Storage) -> None:
    assert _list_stored(stored, "pixels", PROFILES) == ["a", "b"]
    assert _list_stored(stored, "pixels", (*PROFILES, "jpeg-4")) == []
    assert _list_stored(stored, "elsewhere", PROFILES) == []
