"""Whole snapshots made by hand, without Ray or a network, for tests that use a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.stored import write_catalog
from simsearch.features import store as feature_store
from simsearch.features.vectors import unit_rows
from simsearch.indexes.exact import exact_search
from simsearch.indexes.write import write_index
from simsearch.settings.config import Config
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.published import point_latest
from simsearch.snapshots.root import open_root
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE

NEIGHBOURS = 2


def vector_of(content: str) -> np.ndarray:
    """A vector that follows from the content alone, as a network's would."""
    seed = int.from_bytes(content.encode()[:8].rjust(8, b"\0"), "big")
    return np.random.default_rng(seed).normal(size=SPACE.dimension).astype(np.float32)


def catalog_of(
    artworks: Mapping[str, str], titles: Mapping[str, str], pictures: str = "file://"
) -> pa.Table:
    """A catalog whose images lie in the folder `pictures`, a URI."""
    rows = [
        {"artwork_id": name, "title": titles.get(name, name), "image_uri": f"{pictures}/{name}.jpg"}
        for name in sorted(artworks)
    ]
    return pa.Table.from_pylist(rows, schema=schemas.CATALOG)


def make_snapshot(
    storage: Storage,
    artworks: Mapping[str, str],
    *,
    recall: float = 1.0,
    titles: Mapping[str, str] | None = None,
    config: Config | None = None,
    publish: bool = True,
    pictures: str = "file://",
) -> snapshots.Snapshot:
    """A sealed snapshot of `artworks`: id → content; their images lie in the folder `pictures`."""
    config = config or Config()
    open_root(storage)
    catalog_id = write_catalog(storage, catalog_of(artworks, titles or {}, pictures))
    images = pa.Table.from_pylist(
        [
            {
                "image_id": schemas.image_id(name, None),
                "artwork_id": name,
                "profile": None,
                "content_hash": artworks[name],
            }
            for name in sorted(artworks)
        ],
        schema=schemas.IMAGES,
    )
    vectors = np.stack([vector_of(artworks[name]) for name in sorted(artworks)])
    feature_store.write_shard(storage, SPACE, images, vectors)
    snapshot = snapshots.write_plan(
        storage,
        config,
        catalog_id,
        (SPACE,),
        {"test": "asked for"},
        images,
        schemas.REJECTS.empty_table(),
        len(artworks),
    )
    if snapshot.sealed():
        return snapshot
    write_index(
        storage,
        snapshot.index_folder("test"),
        images,
        vectors,
        SPACE,
        trees=5,
        seed=1,
        neighbours=NEIGHBOURS,
        target_recall=0.99,
    )
    storage.write_table(snapshot.neighbours_path("test", "exact"), _neighbours(images, vectors))
    storage.write_table(snapshot.metrics_path, _metrics(recall))
    storage.write_bytes(snapshot.report_path, b"<p>report")
    snapshots.seal(snapshot, [], {})
    if publish:
        point_latest(snapshot, 1)
    return snapshot


def _neighbours(images: pa.Table, vectors: np.ndarray) -> pa.Table:
    units = unit_rows(vectors)
    nearest = exact_search(units, units, NEIGHBOURS + 1)
    names = images["image_id"].to_pylist()
    rows: list[dict[str, Any]] = [
        {
            "space": "test",
            "search": "exact",
            "query_id": names[query],
            "rank": rank,
            "neighbour_id": names[int(nearest.items[query, rank])],
            "distance": float(nearest.distances[query, rank]),
        }
        for query in range(len(names))
        for rank in range(1, nearest.items.shape[1])
    ]
    return pa.Table.from_pylist(rows, schema=schemas.NEIGHBOURS)


def _metrics(recall: float) -> pa.Table:
    row = {
        "space": "test",
        "search": "exact",
        "scope": "all",
        "k": 1,
        "metric": "recall",
        "mean": recall,
        "std": 0.0,
        "ci_low": recall,
        "ci_high": recall,
        "ceiling": 1.0,
        "n": 4,
    }
    return pa.Table.from_pylist([row], schema=schemas.METRICS)
