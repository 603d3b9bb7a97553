"""A picture's hash: that of its file, and another one where newer rules give it other pixels."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from simsearch import schemas
from simsearch.extraction.extract import _forget_older_pixels
from simsearch.images.identity import PIXEL_RULES, content_hash, redefined
from simsearch.snapshots.root import open_root, read_by_older_rules
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage
from simsearch.storage.uris import ROOT_MARKER
from tests.images.test_colour_spaces import embedded, png, profile
from tests.support.tiff_files import tiff

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SHARED = Path(__file__).parents[3] / "shared" / "cases" / "pixels"


def saved(kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 30, 40)).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


ORDINARY = {
    **{kind: saved(kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF")},
    "JPEG 2000": saved("JPEG2000"),
    "grey JPEG": saved("JPEG", mode="L"),
    "JPEG in sRGB": saved("JPEG", icc_profile=SRGB),
    "JPEG in another profile": saved(
        "JPEG", icc_profile=SRGB.replace(b"s\0R\0G\0B", b"o\0w\0n\0")[:-400]
    ),
    "PNG in sRGB": saved("PNG", icc_profile=SRGB),
    "WebP in sRGB": saved("WEBP", icc_profile=SRGB),
    "TIFF with a palette": saved("TIFF", mode="P"),
    "PNG with sRGB's gamma": png(np.zeros((2, 2, 3), int), 8, 2, {b"gAMA": b"\0\0\xb1\x8f"}),
    "portable grey map with comments": b"P5\n# one\n# two\n2 1\n# three\n255\n\0\xff",
    "no picture": b"abc",
    "torn PNG": saved("PNG")[:20],
}
CHANGED = {
    "linear JPEG called sRGB": saved("JPEG", icc_profile=profile("RGB ")),
    "linear WebP called sRGB": saved("WEBP", icc_profile=profile("RGB ")),
    "grey JPEG with a grey profile": saved("JPEG", mode="L", icc_profile=profile("GRAY")),
    "PNG of 16 bits": png(np.zeros((2, 2, 1), int), 16, 0),
    "linear PNG": png(np.zeros((2, 2, 3), int), 8, 2, embedded(profile("RGB "))),
    "TIFF of 16 bits": tiff(np.zeros((2, 2, 1), int), photometric=0, bits=16),
    "TIFF of 12 bits": tiff(np.zeros((2, 2, 1), int), photometric=1, bits=12, order=">"),
    "floating-point TIFF": tiff(np.zeros((2, 2, 1)), photometric=1, bits=32, kind=3),
    "TIFF in planes": tiff(np.zeros((2, 2, 3), int), photometric=2, bits=8, planar=True),
    "portable map of 16 bits": b"P5\n# a\n2 1\n1023\n\0\0\3\xff",
    "long JPEG": saved("JPEG", (900, 200)),
    "long PNG": saved("PNG", (200, 900)),
    "long WebP": saved("WEBP", (900, 200)),
    "long AVIF": saved("AVIF", (900, 200)),
    "long TIFF": saved("TIFF", (900, 200)),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_picture_keeps_the_hash_of_its_file(name: str) -> None:
    data = ORDINARY[name]
    assert content_hash(data) == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", CHANGED)
def test_a_picture_whose_pixels_changed_has_another_hash(name: str) -> None:
    data = CHANGED[name]
    assert content_hash(data) != hashlib.sha256(data).hexdigest()
    assert content_hash(data) == content_hash(bytes(data))


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_the_pictures_that_came_out_wrong_have_another_hash() -> None:
    right = {"film-8bit-wiz.tif", "paper-rgb-8.jp2", "same-other-name.png", "five_band.tif"}
    for path in SHARED.iterdir():
        assert redefined(path.read_bytes()) or path.name in right


def test_a_root_read_by_older_rules_is_read_once_more(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "root"))
    open_root(storage)
    row = {"image_uri": "file:///a.jpg", "etag": "1", "content_hash": "ab", "artwork_id": "a"}
    write_part(storage, "sources", [row], schemas.SOURCES)
    reject = {**row, "stage": "decode", "reason": "not an image", "detail": "none of TIFF"}
    write_part(storage, "rejects", [reject], schemas.REJECTS)
    _forget_older_pixels(storage)  # of these rules: nothing is forgotten
    assert storage.files("sources")
    marker = storage.read_json(ROOT_MARKER)
    assert marker.pop("pixel_rules") == PIXEL_RULES
    storage.write_json(ROOT_MARKER, marker)  # as an older version left it
    assert read_by_older_rules(storage)
    _forget_older_pixels(storage)
    assert not storage.files("sources")
    assert not storage.files("rejects")
    assert not read_by_older_rules(storage)
