"""Why a picture is missing: a reject has the reason that its server gave, in the run and in later ones."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest

from simsearch import schemas
from simsearch.catalog import catalog
from simsearch.catalog.undownloaded import Undownloaded
from simsearch.extraction.decode import DecodeSettings, decode_images
from simsearch.extraction.needs import Orphans
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.config import Config, load_config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.parts import read_parts, write_part
from simsearch.storage.storage import Storage
from tests.support.documents import documents, jpeg

STATUSES = (400, 401, 403, 404, 410, 429, 500, 502, 503)


def settings_of(folder: Path, *overrides: str) -> Config:
    return load_config(
        None,
        [
            f"root={folder}/root",
            "catalog.reader=table",
            f"catalog.source={folder}/art.csv",
            "catalog.download={enabled: true, private_networks: true, per_second: 500, attempts: 1, timeout: 1, robots: false}",
            *overrides,
        ],
    )


def rejects(config: Config, folder: Path) -> dict[str, tuple[str, str]]:
    """Each artwork's reason and detail after an ingest and the decoding of every row."""
    table = catalog.ingest(config).table
    storage = Storage(str(folder), config.storage)
    settings = DecodeSettings(
        storage=storage,
        remake=config.remake(),
        profiles=(),
        preprocessings=(Preprocessing(32, 32, "bilinear", (0, 0, 0), (1, 1, 1)),),
        orphans=Orphans.none(variants=1, spaces=1),
        undownloaded=Undownloaded.read(
            Storage(config.root, config.storage),
            config.catalog.download,
            table["image_uri"].to_pylist(),
        ),
    )
    batch = {
        "artwork_id": np.array(table["artwork_id"].to_pylist()),
        "image_uri": np.array(table["image_uri"].to_pylist()),
        "etag": np.array(table["etag"].to_pylist(), dtype=object),
    }
    decode_images(batch, np.ones((len(batch["etag"]), 1, 1), bool), settings)
    rows = read_parts(storage, "rejects", schemas.REJECTS).to_pylist()
    return {row["artwork_id"]: (row["reason"], row["detail"]) for row in rows}


@pytest.mark.slow
def test_a_failed_download_keeps_its_reason(tmp_path: Path) -> None:
    with documents() as web:
        names = [str(status) for status in STATUSES]
        web.files = {f"/{status}.jpg": status for status in STATUSES} | {"/good.jpg": jpeg()}
        web.files["/html.jpg"] = b"<html>"
        with socket.create_server(("127.0.0.1", 0)) as silent:
            slow = f"http://127.0.0.1:{silent.getsockname()[1]}"
            lines = [f"{name},{web.base}/{name}.jpg" for name in [*names, "good", "html"]]
            lines += [f"slow,{slow}/a.jpg", "odd,http://[x/a.jpg", "port,http://127.0.0.1:1/a.jpg"]
            (tmp_path / "art.csv").write_text("artwork_id,image_uri\n" + "\n".join(lines) + "\n")
            config = settings_of(tmp_path)
            first = rejects(config, tmp_path / "first")
        assert {name: first[name][0] for name in names} == {name: f"HTTP {name}" for name in names}
        assert "good" not in first
        assert first["slow"][0] == "no answer in time"
        assert first["html"] == ("not downloaded", "the response is no image")
        assert "not a web address" in first["odd"][1]
        assert "refused" in first["port"][1]
        assert not any("download.enabled" in detail for _, detail in first.values())
        assert "login" in first["401"][1]
        web.asked.clear()
        second = rejects(config, tmp_path / "second")  # what failed for good is not asked for again
        assert "/401.jpg" not in web.asked
        assert {name: second[name] for name in names} == {name: first[name] for name in names}
        off = rejects(settings_of(tmp_path, "catalog.download.enabled=false"), tmp_path / "off")
        assert off["401"][1] == "run `simsearch ingest` with catalog.download.enabled=true"


def test_earlier_failures_are_reported_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with documents() as web:
        web.files["/a.jpg"] = 403
        (tmp_path / "art.csv").write_text(f"artwork_id,image_uri\na,{web.base}/a.jpg\n")
        catalog.ingest(settings_of(tmp_path))
        caplog.clear()
        catalog.ingest(settings_of(tmp_path))
        assert "1 failed in an earlier run" in caplog.text
        assert "HTTP 403" in caplog.text


def test_a_part_of_before_lacks_the_reason(tmp_path: Path) -> None:
    """Records of downloads by older versions have no column for the reason."""
    storage = Storage(str(tmp_path), StorageConfig())
    old = schemas.DOWNLOADS.remove(schemas.DOWNLOADS.get_field_index("problem"))
    write_part(storage, "downloads", [{"name": "a", "url": "u", "checked": 1.0}], old)
    write_part(
        storage, "downloads", [{"name": "b", "url": "v", "checked": 2.0, "problem": "HTTP 404"}], schemas.DOWNLOADS
    )  # fmt: skip
    rows = read_parts(storage, "downloads", schemas.DOWNLOADS)
    assert rows.schema.equals(schemas.DOWNLOADS)
    assert dict(zip(rows["name"].to_pylist(), rows["problem"].to_pylist(), strict=True)) == {
        "a": None,
        "b": "HTTP 404",
    }
