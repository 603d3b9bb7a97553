"""`reindex`: nights against the first run: nothing changed, 1 % added and removed, 1 % changed.

Every run is a process of its own, as a nightly run is; images decoded are counted from the content
hashes that a run adds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simsearch import schemas
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import Storage
from tests.benchmarks.measuring import Asked, Comparison, Result, in_turn
from tests.benchmarks.pictures import draw

TARGETS = {2_000: 0.2, 20_000: 0.08}  # artworks: what a night may take of the first run's time
EXTRACT_SECONDS = 8  # for the vectors of a night
COPIED = 500  # originals that get perturbed copies
LISTING = "import sys; from simsearch.storage.storage import list_uri, StorageConfig; list_uri(sys.argv[1], StorageConfig())"


def measure(asked: Asked, scratch: Path) -> Result:
    sizes = [asked.artworks] if asked.artworks else list(TARGETS)
    runs = {count: nights(count, asked.repeats, scratch / str(count)) for count in sizes}
    rows = [row for count, runs_there in runs.items() for row in compared(count, runs_there)]
    decoded = "; ".join(
        f"of {count:,} {runs_there['first']['decoded']:,} in the first run, "
        f"{runs_there['unchanged'][-1]['decoded']:,} where nothing changed, "
        f"{runs_there['moved']['decoded']:,} where 1 % came and went, "
        f"{runs_there['changed']['decoded']:,} where 1 % changed"
        for count, runs_there in runs.items()
    )
    return Result(
        {
            "collections": f"generated pictures in a folder, {COPIED} with copies",
            "network": "squeezenet1_1",
        },
        rows,
        [f"Images decoded: {decoded}."],
        {str(count): runs_there for count, runs_there in runs.items()},
    )


def nights(count: int, repeats: int, scratch: Path) -> dict[str, Any]:
    """A first run over `count` artworks, then nights over what became of them."""
    share = max(1, count // 100)
    pictures, root = scratch / "pictures", scratch / "root"
    pictures.mkdir(parents=True)
    draw(pictures, [(number, number) for number in range(count)])
    first = run("run", pictures, root)
    unchanged, listings = in_turn(
        lambda: run("reindex", pictures, root), lambda: listing_seconds(pictures), repeats
    )
    for number in range(share):
        (pictures / f"{number:06}.jpg").unlink()
    draw(pictures, [(count + number, count + number) for number in range(share)])
    moved = run("reindex", pictures, root)
    draw(pictures, [(number, 2 * count + number) for number in range(share, 2 * share)])
    changed = run("reindex", pictures, root)
    return {
        "first": first,
        "unchanged": unchanged,
        "listings": listings,
        "moved": moved,
        "changed": changed,
    }


def compared(count: int, runs: Mapping[str, Any]) -> list[Comparison]:
    first, target = [runs["first"]["seconds"]], TARGETS.get(count)
    moved = runs["moved"]
    return [
        Comparison(
            f"{count:,} artworks, nothing changed", "bare listing, Python's start included", "s",
            [night["seconds"] for night in runs["unchanged"]], runs["listings"],
        ),
        Comparison(
            f"{count:,} artworks, 1 % added and 1 % removed", "first run", "s",
            [moved["seconds"]], first, f"≤ {target}" if target else "",
        ),
        Comparison(
            f"{count:,} artworks, 1 % added and 1 % removed: extract, {moved['vectors']} vectors",
            "target in seconds", "s", [moved["steps"]["extract"]], [EXTRACT_SECONDS], "≤ 1",
        ),
        Comparison(
            f"{count:,} artworks, 1 % changed", "first run", "s", [runs["changed"]["seconds"]], first
        ),
    ]  # fmt: skip


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
