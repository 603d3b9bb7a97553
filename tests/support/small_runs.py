"""A whole run over a small collection, and its results."""

from __future__ import annotations

import numpy as np

from simsearch.features import store as feature_store
from simsearch.settings.config import Config, load_config
from simsearch.snapshots.snapshot import Snapshot

ARTWORKS = 12


def config_for(root: str, *overrides: str) -> Config:
    return load_config(
        None,
        [
            f"root={root}",
            f"catalog.size={ARTWORKS}",
            "extract.backbones=[efficientnet_lite0]",  # the quickest to start
            "extract.weights=['random:0']",
            "extract.precision=float32",
            "extract.batch_size=4",
            "extract.shard_rows=24",
            "evaluate.bootstrap=50",
            "report.examples=1",
            "projection.methods=[pca]",  # UMAP compiles for half a minute
            *overrides,
        ],
    )


def all_vectors(snapshot: Snapshot) -> dict[str, np.ndarray]:
    images = snapshot.images()
    return {
        space.name: feature_store.read_vectors(snapshot.storage, space, images)
        for space in snapshot.plan().spaces
    }
