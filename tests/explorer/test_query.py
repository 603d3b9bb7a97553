"""A picture of one's own: answered by every space, refused in words, never stored."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import httpx
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageOps

from simsearch.errors import DamagedError
from simsearch.reading import picture_query
from simsearch.reading.collection import collection_of, query_file
from simsearch.reading.picture_search import PictureEncoder
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_pairs import ANOTHER, FIRST, drawn
from tests.support.explorer_site import GIVEN, NETWORK, settings
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
def test_answers_stay_where_points_cannot_be_read_and_the_fault_is_said(
    site: httpx.Client, folder: Path
) -> None:
    data = (folder / "gallery" / "005.png").read_bytes()
    fault = DamagedError(str(folder), "points/sift/part-1.parquet", "not valid Parquet")
    with mock.patch.object(picture_query, "verify_same_picture", side_effect=fault):
        lines = site.post("/api/v1/query", content=data).text.splitlines()
        page = site.post("/picture", files={"picture": ("p.png", data, "image/png")}).text
    *answers, last = [json.loads(line) for line in lines]
    assert [answer["space"] for answer in answers] == [GIVEN, NETWORK]
    assert last["same_pictures"] == []
    for said in (last["error"], page):
        assert "part-1.parquet: not valid Parquet" in said
        assert str(folder) not in said


@pytest.mark.slow
def test_all_artworks_with_a_recognised_file_are_named_and_no_network_is_asked_twice(
    pairs_snapshot: Snapshot, tmp_path: Path
) -> None:
    """Networks are asked for one picture here, which two artworks show."""
    config = settings(pairs_snapshot.storage.root)
    collection = collection_of(config, pairs_snapshot)
    view = collection._view
    few = view.plan.settings.geometry.model_copy(update={"candidates": 1})
    plan = view.plan.settings.model_copy(update={"geometry": few})
    view.plan = replace(view.plan, settings=plan)
    view.spaces, view.untrained = (NETWORK,), frozenset()
    own = view.artwork(FIRST).content_hash
    shown = [own if name.startswith(ANOTHER) else name for name in view.image_ids.to_pylist()]
    hashes = zip(shown, view.hashes.to_pylist(), strict=True)
    view.hashes = pa.array([own if name == own else content for name, content in hashes])
    ImageOps.mirror(drawn(1)).save(tmp_path / "photo.png")
    asked: list[bytes] = []
    vector_of = PictureEncoder.vector

    def vector(encoder: PictureEncoder, picture: Image.Image) -> np.ndarray:
        asked.append(picture.tobytes())
        return vector_of(encoder, picture)

    with mock.patch.object(PictureEncoder, "vector", vector):
        same, matches = query_file(collection, tmp_path / "photo.png", 3)
    assert [*matches] == [NETWORK]
    named = [(sighting.artwork.artwork_id, sighting.words) for sighting in same]
    words = "the same picture, mirrored"
    assert {(FIRST, words), (ANOTHER, words)} <= set(named)
    assert len(asked) == len(set(asked)) == 3


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
