"""A picture that was replaced after the run is not shown, nor stored, as the snapshot's picture."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pyarrow.compute as pc
import pytest
from PIL import Image

from simsearch.explorer.server.app import create_app
from simsearch.images.thumbnails import encode, thumbnail_path
from simsearch.reading.view import HASH_DIGITS
from tests.support.explorer_site import publish_gallery, running, settings


@pytest.mark.slow
def test_a_replaced_picture_is_named_and_never_kept_as_the_former_one(tmp_path: Path) -> None:
    config = settings(str(tmp_path / "data"))
    snapshot = publish_gallery(config, tmp_path / "gallery", count=6)
    storage = snapshot.storage
    for info in storage.files("thumbnails"):
        storage.delete(f"thumbnails/{info.path}")
    rows = snapshot.images().to_pylist()
    copy = next(place for place, row in enumerate(rows) if row["profile"])
    artwork = rows[copy]["artwork_id"]
    digest = next(
        row["content_hash"]
        for row in rows
        if row["artwork_id"] == artwork and row["profile"] is None
    )
    number = int(artwork[2:5])
    replaced = tmp_path / "gallery" / f"{number:03}.png"
    original = replaced.read_bytes()
    Image.new("RGB", (150, 150), "#ff0000").save(replaced)
    with (
        running(create_app(config, [config.root])) as address,
        httpx.Client(base_url=address, timeout=60) as site,
    ):
        thumbnail = f"/thumbnails/{digest[:HASH_DIGITS]}-400.webp"
        asked = [thumbnail, f"/copies/{copy}-400.webp"]
        answers = [site.get(path) for path in asked]
        answers.append(site.get("/zoom/tiles.json", params={"id": artwork}))
        for answer in answers:
            assert answer.status_code == 404
            assert "has changed since this snapshot was made" in answer.text
            assert str(tmp_path) not in answer.text
        assert storage.files("thumbnails") == []
        replaced.write_bytes(original)
        assert [site.get(path).status_code for path in asked] == [200, 200]


@pytest.mark.slow
def test_a_damaged_thumbnail_is_not_shown_but_made_anew(tmp_path: Path) -> None:
    config = settings(str(tmp_path / "data"))
    snapshot = publish_gallery(config, tmp_path / "gallery", count=8)
    storage = snapshot.storage
    originals = snapshot.images().filter(pc.field("profile").is_null())
    digests = originals["content_hash"].unique().to_pylist()[:4]
    damages = [
        b"",
        encode(Image.new("RGB", (150, 150)), 400)[:-2],
        b"something else",
        b"RIFF\0\0\0\0WEBP",
    ]
    for digest, damaged in zip(digests, damages, strict=True):
        storage.write_bytes(thumbnail_path(digest, 400), damaged)
    with (
        running(create_app(config, [config.root])) as address,
        httpx.Client(base_url=address, timeout=60) as site,
    ):
        for digest in digests:
            answer = site.get(f"/thumbnails/{digest[:HASH_DIGITS]}-400.webp")
            with Image.open(io.BytesIO(answer.content)) as picture:
                picture.load()
                assert picture.size != (150, 150)  # of the damaged one
            assert storage.read_bytes(thumbnail_path(digest, 400)) == answer.content
