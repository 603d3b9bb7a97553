"""A picture of one's own: answered by every space, refused in words, never stored."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import GIVEN, NETWORK
from tests.support.gallery import picture_bytes


@pytest.mark.slow
def test_a_picture_of_the_collection_finds_itself(site: httpx.Client, folder: Path) -> None:
    data = (folder / "gallery" / "005.png").read_bytes()
    *answers, last = [
        json.loads(line) for line in site.post("/api/v1/query", content=data).text.splitlines()
    ]
    by_name = {answer["space"]: answer for answer in answers}
    best = by_name[NETWORK]["matches"][0]
    assert best["artwork_id"].startswith("a/005")
    assert best["score"] == pytest.approx(1, abs=1e-4)
    (same,) = last["same_pictures"]
    assert same["artwork"]["artwork_id"] == best["artwork_id"]
    assert (same["relation"], same["inliers"]) == ("same file", None)
    assert by_name[GIVEN]["matches"] == []
    assert "the weights at hand" in by_name[GIVEN]["error"]  # the page names the fault


@pytest.mark.slow
def test_the_form_works_without_a_script(site: httpx.Client, folder: Path) -> None:
    data = (folder / "gallery" / "005.png").read_bytes()
    page = site.post("/picture", files={"picture": ("p.png", data, "image/png")})
    assert page.status_code == 200
    assert "Étude no. 5" in page.text
    assert "equal bytes" in page.text
    assert site.post("/picture", files={"other": ("p.png", data)}).status_code == 400


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"\x89PNG" + bytes(1_000_001), 413, "give a smaller one"),
        (picture_bytes(1001, 1000), 400, "too many pixels"),
        (b"<svg onload='alert(1)'/>", 400, "not an image"),
        (b"", 400, "empty file"),
        (picture_bytes()[:60], 400, "broken"),
    ],
    ids=["bytes", "pixels", "svg", "empty", "truncated"],
)
def test_an_upload_beyond_the_limits_is_refused_in_words(
    site: httpx.Client, data: bytes, status: int, words: str
) -> None:
    answer = site.post("/api/v1/query", content=data)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True)


def test_an_endless_upload_is_cut_off(site: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(4000):
            sent += 2**16
            yield bytes(2**16)

    # The answer is on its way while the connection closes; either may reach the client first.
    with contextlib.suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        assert site.post("/api/v1/query", content=endless()).status_code == 413
    assert sent < 100 * 2**20


@pytest.mark.slow
def test_an_upload_is_not_stored(
    site: httpx.Client, snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = {file.path for file in snapshot.storage.files()}
    noise = np.random.default_rng(1).integers(0, 255, (500, 500, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG", compress_level=6)
    assert 700_000 < len(buffer.getvalue()) < 1_000_000
    site.post("/picture", files={"picture": ("p.png", buffer.getvalue(), "image/png")})
    after = {file.path for file in snapshot.storage.files() if "thumbnails" not in file.path}
    assert after <= before
    assert list(tmp_path.iterdir()) == []
