"""A static copy, and any storage root that there is to show."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from simsearch.errors import NotFoundError, UsageError
from simsearch.explorer.export import export_site
from simsearch.explorer.server.app import create_app
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.explorer_site import GIVEN, publish_gallery, running, settings
from tests.support.gallery import FIRST
from tests.support.places import Place


@pytest.mark.slow
def test_a_static_copy_stands_alone(snapshot: Snapshot, tmp_path: Path) -> None:
    config = settings(snapshot.storage.root)
    target = tmp_path / "copy"
    message = export_site(config, [config.root], str(target))
    assert str(target / "index.html") in message
    for page in target.glob("*.html"):
        html = page.read_text()
        assert "<script>" not in html
        for address in re.findall(r'(?:src|href)="([^"#][^"]*)"', html):
            parts = urlsplit(address)
            if not parts.scheme:
                assert (target / parts.path).is_file(), (page.name, address)
    assert len(list(target.glob("artwork-*.html"))) == 24
    export_site(config, [config.root], str(target))  # again, over itself
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="give an empty folder"):
        export_site(config, [config.root], str(tmp_path / "full"))


@pytest.mark.slow
def test_any_storage_root_can_be_shown(place: Place, tmp_path: Path) -> None:
    words = (
        []
        if place.config.endpoint_url is None
        else [f"storage.endpoint_url={place.config.endpoint_url}"]
    )
    config = settings(place.root, *words)
    publish_gallery(config, tmp_path / "gallery", count=6)
    with running(create_app(config, [place.root])) as address:
        answer = httpx.get(f"{address}/api/v1/neighbours", params={"id": FIRST}, timeout=60).json()
        assert len(answer["spaces"][GIVEN]) == 5
        thumbnail = answer["spaces"][GIVEN][0]["thumbnail"]
        assert httpx.get(address + thumbnail, timeout=60).status_code == 200
    assert Storage(place.root, place.config).files("thumbnails")


def test_a_root_without_a_snapshot_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="run `simsearch run` first"):
        create_app(settings(str(tmp_path)), [str(tmp_path)])
