"""Snapshots that are removed while they are shown, and roots that have none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from simsearch.explorer.server.app import create_app
from simsearch.reading import library
from simsearch.settings.config import load_config
from simsearch.snapshots.garbage import find_garbage, kept_snapshots
from simsearch.snapshots.published import point_latest
from simsearch.snapshots.snapshot import Snapshot
from simsearch.snapshots.viewing import FOLDER, list_viewings
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot

PAGES: tuple[str, ...] = (
    "/",
    "/artwork?id=a",
    "/compare?id=a&other=b",
    "/recovery",
    "/runs",
    "/findings",
    "/api/v1/neighbours?id=a",
)
PAGES += ("/api/v1/metrics", "/tables/metrics.csv", "/map", "/set?ids=AA")


@pytest.fixture
def two(tmp_path: Path) -> tuple[Snapshot, Snapshot]:
    storage = Storage(str(tmp_path / "root"))
    first = make_snapshot(storage, {"a": "1", "b": "2", "c": "3", "d": "4"})
    return first, make_snapshot(storage, {"a": "1", "b": "2", "c": "3"})


@pytest.fixture
def client(two: tuple[Snapshot, Snapshot]) -> Iterator[TestClient]:
    app = create_app(load_config(None), [two[0].storage.root])
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def remove(snapshot: Snapshot) -> None:
    for info in snapshot.storage.files(snapshot.folder):
        snapshot.storage.delete(snapshot.path(info.path))


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 1000])
def test_a_removed_snapshot_is_gone_on_every_page(
    two: tuple[Snapshot, Snapshot],
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    seconds: int,
) -> None:
    old, _ = two
    assert client.get("/", params={"snapshot": old.snapshot_id}).status_code == 200
    monkeypatch.setattr(library, "POINTER_SECONDS", seconds)  # since its manifest was looked for
    remove(old)
    for page in PAGES:
        address = f"{page}{'&' if '?' in page else '?'}snapshot={old.snapshot_id}"
        answer = client.get(address)
        assert answer.status_code in ((410,) if seconds == 0 else (200, 410)), page
        assert str(tmp_path) not in answer.text
        if answer.status_code == 410:
            assert "the snapshot" in answer.text
    assert client.get("/").status_code == 200
    assert client.get("/artwork", params={"id": "a", "snapshot": "0" * 16}).status_code == 410


@pytest.mark.slow
def test_what_is_shown_is_kept_by_gc_until_it_expires(
    two: tuple[Snapshot, Snapshot], client: TestClient
) -> None:
    old, new = two
    storage = old.storage
    assert client.get("/").status_code == 200
    assert {viewing.snapshot_id for viewing in list_viewings(storage)} == {new.snapshot_id}
    assert client.get("/", params={"snapshot": old.snapshot_id}).status_code == 200
    (viewing,) = (shown for shown in list_viewings(storage) if shown.snapshot_id == old.snapshot_id)
    assert "process" in viewing.holder
    assert {kept.snapshot_id for kept in kept_snapshots(storage, 1)} == {
        old.snapshot_id,
        new.snapshot_id,
    }
    for info in storage.files(FOLDER):
        note = storage.read_json(f"{FOLDER}/{info.path}")
        storage.write_json(f"{FOLDER}/{info.path}", {**note, "expires": 1.0})
    assert {kept.snapshot_id for kept in kept_snapshots(storage, 1)} == {new.snapshot_id}
    storage.write_bytes(f"{FOLDER}/{old.snapshot_id}-ab.json", b"{")
    assert any(old.snapshot_id in file.path for file in find_garbage(storage, 1, 1e12))


@pytest.mark.slow
def test_a_root_without_a_snapshot_is_named_and_the_other_shown(
    two: tuple[Snapshot, Snapshot], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    roots = [str(tmp_path / "empty"), two[0].storage.root]
    with caplog.at_level(logging.WARNING):
        app = create_app(load_config(None), roots)
        with TestClient(app, base_url="http://localhost") as client:
            for page in ("/", "/runs", "/api/v1/snapshots"):
                assert client.get(page).status_code == 200
    named = [record for record in caplog.records if "no published snapshot" in record.message]
    assert [str(tmp_path / "empty") in record.message for record in named] == [True]


@pytest.mark.slow
def test_nobody_is_led_to_a_snapshot_that_was_rolled_back(
    two: tuple[Snapshot, Snapshot], client: TestClient
) -> None:
    old, new = two
    point_latest(old, 2, (new.snapshot_id,))
    listed = client.get("/api/v1/snapshots").json()
    assert [(row["snapshot_id"], row["newest"]) for row in listed] == [(old.snapshot_id, True)]
    assert client.get("/", params={"snapshot": new.snapshot_id}).status_code == 200
