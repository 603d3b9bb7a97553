"""Secrets in addresses are sent to their host, and are nowhere in what is stored, logged or returned."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path

import pytest

from simsearch.catalog import catalog
from simsearch.catalog.notes import Notes
from simsearch.catalog.undownloaded import Undownloaded
from simsearch.errors import CatalogError
from simsearch.settings.config import load_config
from simsearch.storage.storage import Storage
from tests.support.documents import image as picture
from tests.support.documents import jpeg, manifest
from tests.support.moody import Request, moody

MARK = "S3CR3T"
QUICK = "enabled: true, private_networks: true, per_second: 500, attempts: 1, timeout: 5, check_again_days: 0"


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_login_and_a_signature_are_used_and_kept_by_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "simsearch")
    login = base64.b64encode(f"me:{MARK}".encode()).decode()
    seen: list[tuple[str, str | None]] = []

    def answer(request: Request) -> None:
        seen.append((request.path, request.headers["Authorization"]))
        right = (
            request.headers["Authorization"] == f"Basic {login}" or f"sig={MARK}" in request.path
        )
        gone = "gone" in request.path or request.path == "/robots.txt"
        request.send(jpeg(), 404 if gone else 200 if right else 401)

    with moody(answer) as web:
        host = web.base.removeprefix("http://")
        rows = {
            "login": f"http://me:{MARK}@{host}/a.jpg",
            "signed": f"{web.base}/b.jpg?sig={MARK}&w=5",
            "gone": f"http://me:{MARK}@{host}/gone.jpg?token={MARK}",
            "odd": f"http://me:{MARK}@[x/a.jpg",
        }
        lines = [f"{name},{address},{address}" for name, address in rows.items()]
        (tmp_path / "art.csv").write_text("artwork_id,image_uri,url\n" + "\n".join(lines) + "\n")
        words = [
            f"root={tmp_path}/root",
            "catalog.reader=table",
            f"catalog.source={tmp_path}/art.csv",
        ]
        config = load_config(None, [*words, f"catalog.download={{{QUICK}}}"])
        for _ in range(2):
            table = catalog.ingest(config).table
    places = dict(zip(table["artwork_id"].to_pylist(), table["image_uri"].to_pylist(), strict=True))
    assert places["login"].startswith("file://")
    assert places["signed"].startswith("file://")
    assert places["gone"] == f"{web.base}/gone.jpg"
    assert ("/robots.txt", None) in seen
    storage = Storage(config.root)
    reasons = Undownloaded.read(storage, config.catalog.download, places.values())
    assert reasons.reason(places["gone"])[0] == "HTTP 404"
    assert "not a web address" in reasons.reason(places["odd"])[1]
    written = stored_bytes(tmp_path / "root") + json.dumps(table.to_pylist()).encode()
    assert MARK.encode() not in written
    assert MARK not in caplog.text


def test_a_secret_source_is_in_no_message(tmp_path: Path) -> None:
    with moody(lambda request: request.send(b"{}")) as web:
        source = f"{web.base}/c.json?token={MARK}"
        words = [f"root={tmp_path}", "catalog.reader=iiif", f"catalog.source={source}"]
        config = load_config(None, [*words, f"catalog.download={{{QUICK}}}"])
        with pytest.raises(CatalogError, match=r"/c\.json: the response is no IIIF") as raised:
            catalog.read_catalog(config)
        assert MARK not in str(raised.value)
        assert f"/c.json?token={MARK}" in web.asked
    assert MARK.encode() not in stored_bytes(tmp_path)


def test_a_document_whose_addresses_hold_secrets_is_not_kept(tmp_path: Path) -> None:
    shown = json.dumps(manifest(picture(f"https://x.test/a.jpg?token={MARK}"))).encode()
    with moody(lambda request: request.send(shown)) as web:
        words = [f"root={tmp_path}", "catalog.reader=iiif", f"catalog.source={web.base}/m.json"]
        config = load_config(None, [*words, f"catalog.download={{{QUICK}}}"])
        notes = Notes()
        assert catalog.read_catalog(config, notes)["image_uri"].to_pylist() == [
            f"https://x.test/a.jpg?token={MARK}"
        ]
    assert MARK.encode() not in stored_bytes(tmp_path)


def test_ids_of_manifests_hold_no_secret_and_stay_apart(tmp_path: Path) -> None:
    def answer(request: Request) -> None:
        host = web.base.removeprefix("http://")
        members = [
            f"{web.base}/m/1?wskey={MARK}",
            f"http://me:{MARK}@{host}/m/2/manifest.json",
            f"{web.base}/m.php?key=4711",
            f"{web.base}/m.php?key=4712",
        ]
        kind = "http://iiif.io/api/presentation/3/context.json"
        items = [{"id": address, "type": "Manifest"} for address in members]
        collection = {"@context": kind, "id": "c", "type": "Collection", "items": items}
        shown = manifest(picture(f"{web.base}/{request.path[-4:].replace('/', '')}.jpg"))
        request.send(json.dumps(collection if request.path == "/c" else shown).encode())

    with moody(answer) as web:
        words = [f"root={tmp_path}", "catalog.reader=iiif", f"catalog.source={web.base}/c"]
        days = QUICK.replace("check_again_days: 0", "robots: false")
        config = load_config(None, [*words, f"catalog.download={{{days}}}"])
        tables = [catalog.read_catalog(config) for _ in range(2)]
    pictures = [
        dict(zip(table["artwork_id"].to_pylist(), table["image_uri"].to_pylist(), strict=True))
        for table in tables
    ]
    assert pictures[0] == pictures[1]
    assert {uri.rpartition("/")[2] for uri in pictures[0].values()} >= {"4711.jpg", "4712.jpg"}
    assert len(pictures[0]) == 4
    assert not any(MARK in artwork_id for artwork_id in pictures[0])
    assert f"{web.base.removeprefix('http://')}/m/2" in pictures[0]
    assert MARK.encode() not in stored_bytes(tmp_path)
