"""`planning`: what it costs the driver to find out that nothing is missing, at a million artworks.

Vectors of generated keys, no images: a catalog, its sources, and shards of three spaces that hold
every vector already. Beside it the same question asked of Python sets, as simsearch 0.1.0 did it,
at a tenth of the size, since the whole does not fit into memory that way.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.stored import load_catalog, write_catalog
from simsearch.extraction.missing import Missing
from simsearch.features.space import FeatureSpace
from simsearch.features.store import folder, keys_of, shard_path, write_shard
from simsearch.settings.config import load_config
from simsearch.snapshots.snapshot import write_plan
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import Storage
from tests.benchmarks.measuring import Asked, Comparison, Result, alone
from tests.support.spaces import SPACE

ARTWORKS = 1_000_000
SPACES = tuple(
    replace(SPACE, name=name, encoder=name, dimension=4) for name in ("one", "two", "three")
)
CONFIG = load_config(None)  # the study's five profiles, copies of all originals
VARIANTS = (None, *CONFIG.perturbations.profiles)
SECONDS, GIB = 90.0, 4.0  # the limits of what one driver may take


def measure(asked: Asked, scratch: Path) -> Result:
    artworks = asked.artworks or ARTWORKS
    whole, tenth = str(scratch / "whole"), str(scratch / "tenth")
    for root, count in ((whole, artworks), (tenth, artworks // 10)):
        alone(fill, root, count)
    seconds, gib = alone(plan_by_table, whole)
    sets_seconds, sets_gib = alone(plan_by_sets, tenth)
    size = f"{artworks:,} artworks × {len(VARIANTS)} variants × {len(SPACES)} spaces, all stored"
    return Result(
        {"planned": size, "shards": f"{CONFIG.extract.shard_rows:,} rows each"},
        [
            Comparison(f"planning {size}", "limit", "s", [seconds], [SECONDS], "≤ 1"),
            Comparison("its peak memory in the driver", "limit", "GiB", [gib], [GIB], "≤ 1"),
            Comparison(
                "planning, per million artworks", "sets of Python strings, a tenth of the size", "s",
                [seconds * 1e6 / artworks], [sets_seconds * 1e7 / artworks],
            ),
            Comparison(
                "its peak memory, per million artworks", "the same sets", "GiB",
                [gib * 1e6 / artworks], [sets_gib * 1e7 / artworks],
            ),
        ],
    )  # fmt: skip


def content_of(number: int) -> str:
    return hashlib.sha256(number.to_bytes(8, "big")).hexdigest()


def fill(root: str, artworks: int) -> None:
    """A catalog of so many artworks, its sources, and all their vectors (of zeros)."""
    storage = Storage(root)
    ids = [f"artwork-{number:07}" for number in range(artworks)]
    hashes = [content_of(number) for number in range(artworks)]
    uris = [f"s3://museum/images/{artwork_id}.jpg" for artwork_id in ids]
    columns = {"artwork_id": ids, "image_uri": uris, "etag": hashes}
    nulls = pa.nulls(artworks)
    catalog = {field.name: columns.get(field.name, nulls) for field in schemas.CATALOG}
    write_catalog(storage, pa.table(catalog, schema=schemas.CATALOG))
    sources = pa.table(
        {"image_uri": uris, "etag": hashes, "content_hash": hashes}, schema=schemas.SOURCES
    )
    storage.write_table("sources/part-all.parquet", sources)
    step = CONFIG.extract.shard_rows // len(VARIANTS)
    for start in range(0, artworks, step):
        part = slice(start, min(start + step, artworks))
        repeated = [value for value in ids[part] for _ in VARIANTS]
        rows = pa.table(
            {
                "image_id": repeated,
                "artwork_id": repeated,
                "profile": list(VARIANTS) * len(ids[part]),
                "content_hash": [value for value in hashes[part] for _ in VARIANTS],
            },
            schema=schemas.IMAGES,
        )
        for space in SPACES:
            write_shard(storage, space, rows, np.zeros((rows.num_rows, 4), np.float32))


def plan_by_table(root: str) -> tuple[float, float]:
    """Seconds and peak memory in GiB of what `extract` asks where every vector is stored."""
    storage = Storage(root)
    started = time.monotonic()
    stored = load_catalog(storage)
    catalog = stored.table
    missing = Missing.read(CONFIG, storage, catalog, SPACES)
    assert missing.todo(retry_rejects=False).count == 0
    images, rejects = missing.images(), missing.rejects()
    assert images.num_rows == catalog.num_rows * len(VARIANTS)
    assert rejects.num_rows == 0
    write_plan(storage, CONFIG, stored.catalog_id, SPACES, {}, images, rejects, catalog.num_rows)
    return time.monotonic() - started, peak_gib()


def plan_by_sets(root: str) -> tuple[float, float]:
    """The same of dictionaries and sets of strings, artwork by artwork."""
    storage = Storage(root)
    started = time.monotonic()
    catalog = load_catalog(storage).table
    sources = read_parts(storage, "sources", schemas.SOURCES).to_pylist()
    hashes = {(row["image_uri"], row["etag"]): row["content_hash"] for row in sources}
    held = [frozenset(chain(*_keys_by_shard(storage, space).values())) for space in SPACES]
    rows = []
    for row in catalog.select(["artwork_id", "image_uri", "etag"]).to_pylist():
        content = hashes[row["image_uri"], row["etag"]]
        keys = [f"{content}/{profile or ''}" for profile in VARIANTS]
        assert all(key in space for space in held for key in keys)
        rows += [{**row, "profile": profile, "content_hash": content} for profile in VARIANTS]
    assert len(rows) == catalog.num_rows * len(VARIANTS)
    return time.monotonic() - started, peak_gib()


def _keys_by_shard(storage: Storage, space: FeatureSpace) -> dict[str, list[str]]:
    return {
        name: keys_of(storage.read_table(shard_path(space, name), ["content_hash", "profile"]))
        for name in (shard.path for shard in storage.files(folder(space)))
    }


def peak_gib() -> float:
    """This process's peak memory in GiB, on Linux. Not `getrusage`: a child's begins at its parent's."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak, "no VmHWM in /proc/self/status"
    return int(peak[1]) / 2**20
