"""Snapshots of given vectors, without Ray, a network or pictures: for tests of what reads them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.stored import write_catalog
from simsearch.indexes.write import write_index
from simsearch.settings.config import Config
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.published import point_latest
from simsearch.snapshots.root import open_root
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE

PROFILE = "rotate-1"
REJECT = {"artwork_id": "broken", "stage": "decode", "reason": "not an image", "detail": "HTML"}


def publish_vectors(
    storage: Storage,
    ids: Sequence[str],
    vectors: npt.NDArray[np.float32],
    *,
    copied: Collection[str] = (),
    content: Sequence[str] | None = None,
    titles: Sequence[str | None] | None = None,
) -> Snapshot:
    """A published snapshot with one space, "test": `vectors` [n, SPACE.dimension] are those of the
    artworks `ids`, whose pictures have the hashes `content`. The artworks `copied` also have a copy,
    which is a random vector. A further artwork, "broken", is rejected."""
    random = np.random.default_rng(5)
    content = content or [f"{place:064x}" for place in range(len(ids))]
    titles = titles or [f"No. {name}" for name in ids]
    catalog = [
        {
            "artwork_id": name,
            "title": title,
            "artists": ["Ada"],
            "image_uri": f"file:///{place}.png",
        }
        for place, (name, title) in enumerate(zip(ids, titles, strict=True))
    ]
    catalog.append({"artwork_id": REJECT["artwork_id"], "title": "Gone"})
    catalog.sort(key=lambda row: str(row["artwork_id"]))
    rows = []
    for name, picture, vector in zip(ids, content, vectors, strict=True):
        for profile in (None, *([PROFILE] if name in copied else [])):
            image = {
                "image_id": schemas.image_id(name, profile),
                "artwork_id": name,
                "profile": profile,
                "content_hash": picture,
            }
            own = vector if profile is None else random.normal(size=SPACE.dimension)
            rows.append((image, own))
    rows.sort(key=lambda row: str(row[0]["image_id"]))
    images = pa.Table.from_pylist([image for image, _ in rows], schema=schemas.IMAGES)
    matrix = np.array([own for _, own in rows], dtype=np.float32)
    open_root(storage)
    snapshot = snapshots.write_plan(
        storage,
        Config.model_validate({"perturbations": {"profiles": [PROFILE] if copied else []}}),
        write_catalog(storage, pa.Table.from_pylist(catalog, schema=schemas.CATALOG)),
        (SPACE,),
        {"test": "given"},
        images,
        pa.Table.from_pylist([REJECT], schema=schemas.REJECTS),
        len(catalog),
    )
    write_index(
        storage, snapshot.index_folder("test"), images, matrix, SPACE,
        trees=2, seed=1, neighbours=2, target_recall=0.9,
    )  # fmt: skip
    storage.write_table(snapshot.metrics_path, schemas.METRICS.empty_table())
    snapshots.seal(snapshot, [], {})
    point_latest(snapshot, 1)
    return snapshot
