"""A picture that was replaced after the run is not shown, nor stored, as the snapshot's picture."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from PIL import Image

from simsearch.explorer.server.app import create_app
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
