"""`python -m tests.benchmarks.reindex`: what a changed collection costs, against a bare listing.

Three runs over a folder of generated pictures: all new, nothing changed, and 1 % added, 1 % changed
and 1 % removed. Each is a process of its own, as a nightly run is; images decoded are counted from
the content hashes that a run adds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from simsearch import schemas
from simsearch.catalog.generated import image_bytes
from simsearch.config import StorageConfig
from simsearch.extraction_stages import read_parts
from simsearch.storage import Storage, list_uri


def draw(folder: Path, numbers: tuple[int, int]) -> None:
    name, number = numbers
    (folder / f"{name:06}.jpg").write_bytes(image_bytes(9, number))


def draw_all(folder: Path, numbers: list[tuple[int, int]]) -> None:
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(draw, folder), numbers, chunksize=100))


def measure(command: str, pictures: Path, root: Path) -> dict[str, Any]:
    """Run the job once: its seconds, as the shell sees them, and what it did."""
    storage = Storage(str(root))
    before = content_hashes(storage)
    started = time.monotonic()
    list_uri(str(pictures), StorageConfig())
    listing = time.monotonic() - started
    words = [
        f"root={root}",
        "catalog.reader=folder",
        f"catalog.source={pictures}",
        "extract.backbones=[squeezenet1_1]",
        "extract.weights=['random:0']",
        "perturbations.originals=500",
        "lease.wait=60",
    ]
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "simsearch", command, *words], check=True)
    seconds = time.monotonic() - started
    records = sorted((root / "runs").glob("*.json"))
    record = json.loads(records[-1].read_text())
    steps = {step["name"]: step for step in record["steps"]}
    return {
        "seconds": round(seconds, 1),
        "bare listing": round(listing, 2),
        "decoded": len(content_hashes(storage) - before),
        "vectors": steps["extract"]["items"] if "extract" in steps else 0,
        "changes": record["changes"],
        "steps": {name: step["seconds"] for name, step in steps.items()},
        "outcome": record["outcome"],
    }


def content_hashes(storage: Storage) -> set[tuple[Any, ...]]:
    """(URI, ETag, content hash) of every image that a run has read."""
    rows = read_parts(storage, "sources", schemas.SOURCES).to_pylist()
    return {tuple(row.values()) for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artworks", type=int, default=20_000)
    options = parser.parse_args()
    count, share = options.artworks, options.artworks // 100
    folder = Path(tempfile.mkdtemp(prefix="simsearch-reindex-"))
    pictures = folder / "pictures"
    pictures.mkdir()
    started = time.monotonic()
    draw_all(pictures, [(number, number) for number in range(count)])
    print(f"{count:,} pictures drawn in {time.monotonic() - started:.0f} s", flush=True)
    results = {
        "first": measure("run", pictures, folder / "root"),
        "unchanged": measure("reindex", pictures, folder / "root"),
    }
    for number in range(share):
        (pictures / f"{number:06}.jpg").unlink()
    draw_all(pictures, [(number, count + number) for number in range(share, 2 * share)])
    draw_all(pictures, [(count + number, 2 * count + number) for number in range(share)])
    results["1 % each"] = measure("reindex", pictures, folder / "root")
    for name, result in results.items():
        print(f"{name}: {json.dumps(result)}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
