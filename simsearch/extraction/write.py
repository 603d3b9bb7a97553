"""The stage of an extraction that writes vectors to feature shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.extraction.batches import Batch, Counter, _reject
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage


def write_batch(
    batch: Batch,
    storage: Storage,
    spaces: Sequence[FeatureSpace],
    counter: Counter,
    made_by: str,
) -> Batch:
    """Store the vectors of a batch, one shard per feature space. Returns the number of written vectors.
    `made_by` names this run's installation, which every node has.

    A vector that is not finite is not stored. Its image is a reject of stage `embed`.
    """
    rows = pa.table(
        {name: _strings(batch[name], nullable=name == "profile") for name in schemas.IMAGES.names},
        schema=schemas.IMAGES,
    )
    written = 0
    broken: dict[str, dict[str, Any]] = {}
    for position, space in enumerate(spaces):
        vectors = batch[f"vector_{position}"]
        wanted = batch["need"][:, position]
        finite = np.isfinite(vectors).all(axis=1)
        for row in rows.filter(pa.array(wanted & ~finite)).to_pylist():
            detail = f"{row['image_id']}: {space.name} gave a vector that is not finite"
            broken[row["artwork_id"]] = _reject(row, "embed", "not finite", detail)
        kept = wanted & finite
        if kept.any():
            feature_store.write_shard(
                storage, space, rows.filter(pa.array(kept)), vectors[kept], [made_by]
            )
            written += int(kept.sum())
            counter.written(space, int(kept.sum()), vectors[kept].nbytes)
    write_part(storage, "rejects", list(broken.values()), schemas.REJECTS)
    for reject in broken.values():
        counter.rejected(reject["stage"], reject["reason"])
    return {"vectors": np.array([written])}


def _strings(column: npt.NDArray[Any], *, nullable: bool) -> pa.Array:
    values = [str(value) for value in column]
    return pa.array([value or None for value in values] if nullable else values, pa.string())
