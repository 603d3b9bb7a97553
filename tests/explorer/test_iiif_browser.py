"""Deep zoom of a picture that came from an image server: its own tiles, in a real browser."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image
from playwright.sync_api import Browser, expect

from simsearch import schemas
from simsearch.catalog import stored_downloads
from simsearch.explorer.server.app import create_app
from simsearch.settings.config import Config
from simsearch.snapshots.root import open_root
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage
from tests.support.browser import Watched
from tests.support.explorer_site import (
    Rows,
    need_chromium,
    publish_gallery,
    running,
    settings,
)
from tests.support.iiif_parts import colour_at
from tests.support.iiif_server import MASTER, IiifServer

IDS = ("a/001?&é", "a/002?&e")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture(scope="module")
def servers(certificate: Path) -> Iterator[tuple[IiifServer, IiifServer]]:
    """A server of version 2 that cuts any part, and one of version 3 that gives only its tiles."""
    free = IiifServer(3, 1, version=2, level=1, certificate=certificate)
    named = IiifServer(3, 1, version=3, level=0, tile=256, certificate=certificate)
    with free.running(), named.running():
        yield free, named


@pytest.fixture(scope="module")
def address(
    servers: tuple[IiifServer, IiifServer],
    certificate: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A gallery with two downloaded pictures, each from another image server."""
    need_chromium()
    folder = tmp_path_factory.mktemp("iiif")
    config = settings(str(folder / "data"), "catalog.download.private_networks=true")
    storage = Storage(config.root)
    open_root(storage)

    def downloaded(rows: Rows) -> None:
        for number in (1, 2):
            place = f"{stored_downloads.FOLDER}/scan-{number}"
            source = Path(rows[number]["image_uri"].removeprefix("file://"))
            storage.write_bytes(f"{place}.png", source.read_bytes())
            rows[number]["image_uri"] = storage.uri(f"{place}.png")

    publish_gallery(config, folder / "gallery", count=6, edit=downloaded)
    _remember(config, servers)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(certificate))  # the explorer trusts it
        with running(create_app(config, [config.root])) as served_at:
            yield served_at
    shutil.rmtree(folder)


def _remember(config: Config, servers: tuple[IiifServer, IiifServer]) -> None:
    rows = [
        {
            "name": f"scan-{number}",
            "url": f"{server.base}/image/{number}/full/843,/0/default.jpg",
            "file": f"scan-{number}.png",
            "checked": 1.0,
        }
        for number, server in enumerate(servers, start=1)
    ]
    write_part(Storage(config.root), stored_downloads.STATE, rows, schemas.DOWNLOADS)


@pytest.mark.parametrize("which", [0, 1], ids=["version 2, any part", "version 3, named tiles"])
def test_a_picture_is_shown_in_the_tiles_of_its_image_server(
    browser: Browser, address: str, servers: tuple[IiifServer, IiifServer], which: int
) -> None:
    server = servers[which]
    watched = Watched(browser, address, ignore_https_errors=True)
    page = watched.goto(f"/artwork?id={quote(IDS[which])}")
    page.locator("a.frame").click()
    canvas = page.locator("#zoom")
    expect(canvas).to_have_attribute("data-ready", "1", timeout=60_000)
    watched.goto(f"/zoom?id={quote(IDS[which])}&x=0.7&y=0.25&zoom=4")
    expect(page.locator("#status")).to_contain_text(
        f"{MASTER[0]:,} × {MASTER[1]:,} pixels, from {server.base.removeprefix('https://')}",
        timeout=60_000,
    )
    expect(canvas).to_have_attribute("data-tiles", re.compile(r"[4-9]|\d\d"), timeout=60_000)
    page.wait_for_load_state("networkidle")
    shown = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")).astype(int)
    scale = page.evaluate(
        f"4 * Math.min(zoom.clientWidth / {MASTER[0]}, zoom.clientHeight / {MASTER[1]})"
    )
    high, wide = shown.shape[:2]
    for x, y in ((wide // 2, high // 2), (60, 50), (wide - 60, high - 50)):
        at = (0.7 * MASTER[0] + (x - wide / 2) / scale, 0.25 * MASTER[1] + (y - high / 2) / scale)
        assert shown[y, x] == pytest.approx(colour_at(*at, MASTER), abs=4)
    assert server.asked_for(r"^/image/\d/\d+,\d+,\d+,\d+/")
    assert server.statuses[400] == 0
    tiles = f"left the site: {server.base}/image/{which + 1}/"
    assert [fault for fault in watched.faults if not fault.startswith(tiles)] == []
    watched.close()
