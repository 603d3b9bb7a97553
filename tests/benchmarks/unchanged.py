"""`unchanged`: what a second run costs where nothing changed, against a bare listing; and where 1 % did.

Every run is a process of its own, as a nightly run is; images decoded are counted from the content
hashes that a run adds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from simsearch import schemas
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import Storage
from tests.benchmarks.measuring import Asked, Comparison, Result, in_turn
from tests.benchmarks.pictures import draw

ARTWORKS = 2000
COPIED = 500  # originals that get perturbed copies
LISTING = "import sys; from simsearch.storage.storage import list_uri, StorageConfig; list_uri(sys.argv[1], StorageConfig())"


def measure(asked: Asked, scratch: Path) -> Result:
    count = asked.artworks or ARTWORKS
    share = max(1, count // 100)
    pictures, root = scratch / "pictures", scratch / "root"
    pictures.mkdir(parents=True)
    draw(pictures, [(number, number) for number in range(count)])
    first = run("run", pictures, root)
    runs, listings = in_turn(
        lambda: run("reindex", pictures, root), lambda: listing_seconds(pictures), asked.repeats
    )
    for number in range(share):
        (pictures / f"{number:06}.jpg").unlink()
    draw(pictures, [(number, count + number) for number in range(share, 2 * share)])
    draw(pictures, [(count + number, 2 * count + number) for number in range(share)])
    changed = run("reindex", pictures, root)
    whole = Comparison(
        f"reindex of {count:,} artworks, nothing changed", "bare listing, Python's start included",
        "s", [run["seconds"] for run in runs], listings,
    )  # fmt: skip
    partial = Comparison(
        "reindex, 1 % each added, changed and removed", "first run", "s",
        [changed["seconds"]], [first["seconds"]],
    )  # fmt: skip
    return Result(
        {
            "collection": f"{count:,} generated pictures in a folder, {min(COPIED, count):,} with copies",
            "network": "squeezenet1_1",
        },
        [whole, partial],
        [
            f"Images decoded: {first['decoded']:,} in the first run, {runs[-1]['decoded']:,} where nothing changed, "
            f"{changed['decoded']:,} where 1 % did."
        ],
        {"first": first, "unchanged": runs, "changed": changed},
    )


def listing_seconds(pictures: Path) -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", LISTING, str(pictures)], check=True)
    return time.monotonic() - started


def run(command: str, pictures: Path, root: Path) -> dict[str, Any]:
    """Run the job once: its seconds, as the shell sees them, and what it did."""
    storage = Storage(str(root))
    before = content_hashes(storage)
    words = [
        f"root={root}",
        "catalog.reader=folder",
        f"catalog.source={pictures}",
        "extract.backbones=[squeezenet1_1]",
        "extract.weights=['random:0']",
        f"perturbations.originals={COPIED}",
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
