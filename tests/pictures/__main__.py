"""`python -m tests.pictures [ROOT]`: make the pictures of the documentation anew: the explorer, the report,
and an artwork with copies of it.

ROOT is a storage root that `simsearch demo` made; without it, a demo is run first.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps
from playwright.sync_api import Page, sync_playwright

from simsearch.catalog.readers.generated import image_bytes
from simsearch.cli.demo import demo_config
from simsearch.explorer.server.app import create_app
from simsearch.images.identity import content_hash
from simsearch.runs import job
from simsearch.settings.config import Config
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage, read_uri
from tests.support.explorer_site import need_chromium, running

PICTURES = Path(__file__).parents[2] / "docs/pages/pictures"
SIZE = (1200, 1400)  # shown half as wide in the README
QUALITY = 80  # WebP's: text stays sharp, and a picture has less than 100 kB
ARTWORK = "generated-000007"
# The copies on the page of concepts, made from an artwork of the generated collection.
COPIED, SEED = 23, 71
COPIES = ("rotate-3", "crop-4", "grey-5", "blur-4", "jpeg-5", "text-5")
SIDE, LABEL = 150, 24  # pixels of a picture and of the line below it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.pictures")
    parser.add_argument("root", nargs="?", help="a storage root made by `simsearch demo`")
    root = parser.parse_args().root
    draw_copies()
    with tempfile.TemporaryDirectory(prefix="simsearch-pictures-") as folder:
        config = demo_config([f"root={root or folder}/demo" if root is None else f"root={root}"])
        if root is None:
            job.run(config)
        take(config)


def take(config: Config) -> None:
    """Photograph the published snapshot's pages."""
    snapshot = latest_snapshot(Storage(config.root, config.storage))
    report = read_uri(snapshot.storage.uri(snapshot.report_path), config.storage).decode()
    with sync_playwright() as playwright, running(create_app(config, [config.root])) as address:
        browser = playwright.chromium.launch(executable_path=need_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto(f"{address}/artwork?id={ARTWORK}", wait_until="networkidle")
        save(page, "explorer")
        page.goto("about:blank")  # else the explorer's policy would block the report's styles
        page.set_content(report, wait_until="networkidle")
        save(page, "report")
        browser.close()


def save(page: Page, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot()))
    store(picture.convert("RGB"), name)


def draw_copies() -> None:
    """Draw an artwork and copies of it in a row, each above its profile's name."""
    data = image_bytes(SEED, COPIED)
    remake = Config().remake()
    original = remake.original(data)
    pictures = {"the original": original} | {
        profile: remake.copy(original, profile, content_hash(data)) for profile in COPIES
    }
    row = Image.new("RGB", (len(pictures) * (SIDE + 10), SIDE + LABEL), "white")
    draw = ImageDraw.Draw(row)
    for number, (name, picture) in enumerate(pictures.items()):
        left = number * (SIDE + 10)
        picture = ImageOps.pad(picture, (SIDE, SIDE), color="white")
        row.paste(picture, (left, 0))
        draw.text((left + SIDE / 2, SIDE + 6), name, "black", ImageFont.load_default(13), "mt")
    store(row, "copies")


def store(picture: Image.Image, name: str) -> None:
    picture.save(PICTURES / f"{name}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
