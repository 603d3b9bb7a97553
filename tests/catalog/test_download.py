"""Images named by web address: downloaded, or left with a reason."""

from __future__ import annotations

import io
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from simsearch.catalog import catalog
from simsearch.catalog.sniffing import sniff
from simsearch.settings.config import load_config
from tests.support.catalogs import jpeg
from tests.support.serving import serving


class Museum(BaseHTTPRequestHandler):
    """Serves pictures and every kind of trouble, by path."""

    requests: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.requests.append(self.path)
        tries = self.requests.count(self.path)
        if self.path == "/busy.jpg" and tries < 3:
            return self._answer(429 if tries == 1 else 503, b"", {"Retry-After": "0"})
        if self.path == "/moved.jpg":
            return self._answer(302, b"", {"Location": "/good.jpg"})
        if self.path == "/loop.jpg":
            return self._answer(302, b"", {"Location": "/loop.jpg"})
        if self.path == "/large.jpg":
            return self._answer(200, jpeg() + b"\0" * 5000)
        if self.path == "/html.jpg":
            return self._answer(200, b"<html>not found</html>")
        if self.path == "/png.jpg":
            return self._answer(200, b"\x89PNG\r\n\x1a\n rest")
        if self.path == "/cut.jpg":
            self.send_response(200)
            self.send_header("Content-Length", "3900")
            self.end_headers()
            self.wfile.write(jpeg())
            return None
        return self._answer(404 if self.path == "/gone.jpg" else 200, jpeg())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def museum() -> Iterator[str]:
    Museum.requests.clear()
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Museum)) as address:
        yield address


@pytest.mark.slow
def test_images_are_downloaded_and_trouble_costs_its_own_row(
    museum: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["good", "busy", "moved", "png", "gone", "html", "large", "cut", "loop"]
    lines = [f"../../{name},{museum}/{name}.jpg" for name in names]
    (tmp_path / "art.csv").write_text("artwork_id,image_uri\n" + "\n".join(lines) + "\n")
    config = load_config(
        None,
        [
            f"root={tmp_path}/root",
            "catalog.reader=table",
            f"catalog.source={tmp_path}/art.csv",
            "catalog.download={enabled: true, private_networks: true, per_second: 500, attempts: 3, max_bytes: 4000, timeout: 5}",
        ],
    )
    table = catalog.ingest(config).table
    places = dict(zip(table["artwork_id"].to_pylist(), table["image_uri"].to_pylist(), strict=True))
    stored = {
        name
        for name in names
        if places[f"../../{name}"].startswith(f"file://{tmp_path}/root/images/downloaded/")
    }
    assert stored == {"good", "busy", "moved", "png"}
    assert places["../../png"].endswith(".png")
    assert places["../../gone"] == f"{museum}/gone.jpg"
    assert "1 failed: HTTP 404 (such as" in caplog.text
    assert caplog.text.count(" failed: ") == 5
    assert Museum.requests.count("/cut.jpg") == 3
    assert {path.suffix for path in (tmp_path / "root" / "images" / "downloaded").iterdir()} == {
        ".jpg",
        ".png",
    }
    Museum.requests.clear()
    catalog.ingest(config)
    assert not {"/good.jpg", "/busy.jpg", "/moved.jpg", "/png.jpg"} & set(Museum.requests)


def test_content_is_told_by_its_first_bytes() -> None:
    for kind, extension in (
        ("JPEG", "jpg"),
        ("PNG", "png"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("TIFF", "tif"),
        ("BMP", "bmp"),
    ):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, kind)
        assert sniff(buffer.getvalue()) == extension
    assert sniff(b"<svg>") is None
