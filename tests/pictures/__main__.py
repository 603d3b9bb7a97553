"""`python -m tests.pictures [ROOT]`: make the README's pictures of the explorer and the report anew.

ROOT is a storage root that `simsearch demo` made; without it, a demo is run first.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from simsearch.cli.demo import demo_config
from simsearch.explorer.server.app import create_app
from simsearch.runs import job
from simsearch.settings.config import Config
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage, read_uri
from tests.support.explorer_site import need_chromium, running

HERE = Path(__file__).parent
SIZE = (1200, 1400)  # shown half as wide in the README
QUALITY = 80  # of WebP: text stays sharp, a picture below 100 kB
ARTWORK = "generated-000007"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.pictures")
    parser.add_argument("root", nargs="?", help="a storage root made by `simsearch demo`")
    root = parser.parse_args().root
    with tempfile.TemporaryDirectory(prefix="simsearch-pictures-") as folder:
        config = demo_config([f"root={root or folder}/demo" if root is None else f"root={root}"])
        if root is None:
            job.run(config)
        take(config)


def take(config: Config) -> None:
    """Photograph the published snapshot's pages into this folder."""
    snapshot = latest_snapshot(Storage(config.root, config.storage))
    report = read_uri(snapshot.storage.uri(snapshot.report_path), config.storage).decode()
    with sync_playwright() as playwright, running(create_app(config, [config.root])) as address:
        browser = playwright.chromium.launch(executable_path=need_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto(f"{address}/artwork?id={ARTWORK}", wait_until="networkidle")
        save(page, "explorer")
        page.goto("about:blank")  # away from the explorer's policy, which a report's styles break
        page.set_content(report, wait_until="networkidle")
        save(page, "report")
        browser.close()


def save(page: Page, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").save(HERE / f"{name}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
