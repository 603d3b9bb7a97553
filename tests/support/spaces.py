"""A feature space without a network, for tests of what is done with vectors."""

import numpy as np
import pyarrow as pa

from simsearch import schemas
from simsearch.features.space import FeatureSpace

SPACE = FeatureSpace(
    name="test",
    encoder="test",
    layer="last",
    dimension=24,
    weights_source="random:0",
    weights_digest="0" * 64,
    trained=False,
    preprocessing="none",
    mode="eval",
    precision="float32",
    background="#ffffff",
    perturbations="none",
)


def rows(names: list[str], profile: str | None = None) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "image_id": name,
                "artwork_id": name,
                "profile": profile,
                "content_hash": f"hash-{name}",
            }
            for name in names
        ],
        schema=schemas.IMAGES,
    )


def vectors(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, SPACE.dimension)).astype(np.float32)
