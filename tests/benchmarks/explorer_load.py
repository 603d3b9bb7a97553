"""`explorer`: the explorer under load: given features, first paint, query p95, memory.

python -m tests.benchmarks.explorer_load [--artworks 160000] [--seconds 30] [--rate 20]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from simsearch import schemas
from simsearch.catalog.stored import write_catalog
from simsearch.features.space import FeatureSpace
from simsearch.indexes.exact import Neighbours
from simsearch.indexes.index import open_index
from simsearch.indexes.write import write_index
from simsearch.maps.projection import projection_table
from simsearch.neighbours.search import neighbours_table
from simsearch.runs.versions import environment
from simsearch.settings.config import Config, load_config
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.published import point_latest
from simsearch.snapshots.root import open_root
from simsearch.storage.storage import Storage
from tests.benchmarks.measuring import Asked, Result, alone
from tests.benchmarks.results import three_digits

BACKBONES = {"given_a": 64, "given_b": 64}
PICTURES = 64  # different files; artworks share them
WARM_REQUESTS = 20
ARTWORKS = 5000
SECONDS, RATE, PORT = 30.0, 20.0, 8499


def make_snapshot(folder: Path, artworks: int) -> Config:
    """A published snapshot of clustered random vectors."""
    words = [
        f"root={folder / 'data'}", "catalog.reader=folder", f"catalog.source={folder}",
        "perturbations.profiles=[]", "projection.methods=[pca]",
    ]  # fmt: skip
    config = load_config(None, words)
    storage = Storage(config.root)
    open_root(storage)
    random = np.random.default_rng(1)
    uris = _pictures(folder / "pictures")
    table = pa.Table.from_pylist(
        [
            {
                "artwork_id": f"{number:06}",
                "title": f"Study {number} in {('red', 'blue', 'green', 'ochre')[number % 4]}",
                "artists": [f"Artist {number % 900}"],
                "date": str(1500 + number % 500),
                "medium": ("oil on canvas", "etching", "gelatin silver print")[number % 3],
                "image_uri": uris[number % len(uris)],
                "etag": "1",
            }
            for number in range(artworks)
        ],
        schema=schemas.CATALOG,
    )
    ids = table["artwork_id"]
    hashes = [f"{number:06}".encode().hex().ljust(64, "0") for number in range(artworks)]
    empty = pa.nulls(artworks, pa.string())
    images = pa.table([ids, ids, empty, pa.array(hashes)], schema=schemas.IMAGES)
    spaces = tuple(
        FeatureSpace(
            name, name, "given", dimension, "given", "0" * 64, True, "given", "eval", "float32",
            "#ffffff", "given",
        )
        for name, dimension in BACKBONES.items()
    )  # fmt: skip
    snapshot = snapshots.write_plan(
        storage, config, write_catalog(storage, table), spaces,
        dict.fromkeys(BACKBONES, "given"), images, schemas.REJECTS.empty_table(), artworks,
    )  # fmt: skip
    for space in spaces:
        centres = random.normal(size=(200, space.dimension))
        vectors = centres[random.integers(0, 200, artworks)]
        vectors += random.normal(scale=0.6, size=vectors.shape)
        _fill(config, snapshot, space, images, vectors.astype(np.float32))
    storage.write_table(snapshot.metrics_path, schemas.METRICS.empty_table())
    snapshots.seal(snapshot, [], environment())
    point_latest(snapshot, 1)
    return config


def _fill(
    config: Config,
    snapshot: snapshots.Snapshot,
    space: FeatureSpace,
    images: pa.Table,
    vectors: npt.NDArray[np.float32],
) -> None:
    storage, folder = snapshot.storage, snapshot.index_folder(space.name)
    write_index(
        storage, folder, images, vectors, space,
        trees=10, seed=1, neighbours=10, target_recall=0.9,
    )  # fmt: skip
    index = open_index(storage, folder, space.fingerprint, verify=False)
    everyone = np.arange(images.num_rows)
    nearest = index.near(everyone.tolist(), 11)
    kept = Neighbours(nearest.items[:, 1:], nearest.distances[:, 1:])
    for search in ("annoy", "exact"):
        ids = images["image_id"].to_numpy()
        rows = neighbours_table(space.name, search, ids, everyone, kept)
        storage.write_table(snapshot.neighbours_path(space.name, search), rows)
    storage.write_table(
        snapshot.projection_path(space.name, "pca"), projection_table(images, vectors[:, :2])
    )


def _pictures(folder: Path) -> list[str]:
    folder.mkdir(parents=True)
    random = np.random.default_rng(2)
    for number in range(PICTURES):
        small = random.integers(0, 255, (6, 8, 3), np.uint8)
        Image.fromarray(small).resize((800, 600)).save(folder / f"{number}.jpg", quality=85)
    return [path.as_uri() for path in sorted(folder.iterdir())]


async def query_times(address: str, artworks: int, rate: float, seconds: float) -> list[float]:
    """Seconds per neighbour query, started at a fixed rate whether or not the last has answered."""
    random = np.random.default_rng(3)
    times: list[float] = []

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        started = time.perf_counter()
        answer = await client.get("/api/v1/neighbours", params={"id": f"{number:06}"})
        answer.raise_for_status()
        times.append(time.perf_counter() - started)

    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        for number in random.integers(0, artworks, WARM_REQUESTS):
            await ask(client, int(number))
        times.clear()
        pending = []
        begun = time.perf_counter()
        for turn in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + turn / rate - time.perf_counter()))
            pending.append(asyncio.create_task(ask(client, int(random.integers(0, artworks)))))
        await asyncio.gather(*pending)
    return times


def paints(address: str, views: dict[str, str]) -> tuple[dict[str, float], float]:
    """Milliseconds to the first contentful paint of each view, in a browser with an empty cache;
    and until the map's points, names, filters and wall all stand."""
    from playwright.sync_api import sync_playwright

    from tests.support.explorer_site import need_chromium

    paints, ready = {}, []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=need_chromium(), args=["--no-sandbox"])
        for name, view in views.items():
            times = []
            for _ in range(3):
                page = browser.new_context(bypass_csp=True).new_page()
                begun = time.perf_counter()
                page.goto(address + view)
                if name == "map":
                    page.wait_for_selector("canvas[data-ready]", timeout=120_000)
                    ready.append((time.perf_counter() - begun) * 1000)
                entries = "performance.getEntriesByName('first-contentful-paint')"
                page.wait_for_function(f"{entries}.length > 0")  # later on a busy machine
                page.wait_for_timeout(500)
                times.append(float(page.evaluate(f"{entries}[0].startTime")))
                page.context.close()
            paints[name] = sorted(times)[1]
        browser.close()
    return paints, sorted(ready)[1]


def resident_mib(process: int | None = None) -> float:
    """The memory of a process (None: this one)."""
    pages = int(Path(f"/proc/{process or 'self'}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.contextmanager
def served(config: Config, port: int) -> Any:
    command = [sys.executable, "-c", "from simsearch.cli.main import main; main()", "explore"]
    words = [f"{config.root}", f"explore.port={port}", "--no-browser"]
    process = subprocess.Popen([*command, *words], stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    begun = time.perf_counter()
    for _ in range(3000):
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/health", timeout=5).status_code == 200:
                break
        time.sleep(0.05)
    try:
        yield address, process.pid, time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def measure(asked: Asked, scratch: Path) -> Result:
    artworks = asked.artworks or ARTWORKS
    load = alone(under_load, scratch, artworks, SECONDS, RATE, PORT)
    painted = ", ".join(
        f"{view} {three_digits(ms)} ms" for view, ms in load["first_paint_ms"].items()
    )
    return Result(
        {
            "collection": f"{artworks:,} artworks",
            "load": f"{RATE} neighbour queries a second",
        },
        [],
        [
            f"No baseline. Started in {three_digits(load['start_s'])} s. Queries: median {three_digits(load['p50_ms'])} ms, p95 {three_digits(load['p95_ms'])} ms. "
            f"First paint: {painted}. Server's memory: {load['resident_mib_at_start']} MiB at start, "
            f"{load['resident_mib_at_end']} MiB at the end."
        ],
        load,
    )


def under_load(
    scratch: Path, artworks: int, seconds: float, rate: float, port: int
) -> dict[str, Any]:
    config = make_snapshot(scratch, artworks)
    with served(config, port) as (address, process, start):
        measured: dict[str, Any] = {
            "start_s": round(start, 2),
            "resident_mib_at_start": round(resident_mib(process)),
        }
        run = asyncio.run(query_times(address, artworks, rate, seconds))
        low, mid, high = (
            float(quantile) for quantile in np.quantile(run, [0.5, 0.95, 0.99]) * 1000
        )
        measured |= {"queries": len(run), "p50_ms": low, "p95_ms": mid, "p99_ms": high}
        views = {
            "search": "/",
            "found": "/?q=blue",
            "artwork": "/artwork?id=000007",
            "map": "/map?colour=medium",
            "set": "/set?ids=AAAAAAAAAAAA",
        }
        measured["first_paint_ms"], measured["map_ready_ms"] = paints(address, views)
        measured["resident_mib_at_end"] = round(resident_mib(process))
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artworks", type=int, default=160_000)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--port", type=int, default=PORT)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="simsearch-load-") as scratch:
        load = under_load(Path(scratch), asked.artworks, asked.seconds, asked.rate, asked.port)
    print(json.dumps(load, indent=2))


if __name__ == "__main__":
    main()
