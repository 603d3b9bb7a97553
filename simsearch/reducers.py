"""Reducers, one Ray task per backbone: its vectors into an index, its vectors into a map."""

from __future__ import annotations

import pyarrow.compute as pc
import ray

from simsearch.config import Config
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.index import IndexManifest, write_index
from simsearch.projection import Coordinates
from simsearch.projection import project as compute_projection
from simsearch.snapshots.snapshot import Snapshot

REDUCER_CPUS = 0.5


@ray.remote(num_cpus=REDUCER_CPUS)
def build_index(snapshot: Snapshot, space: FeatureSpace, seed: int) -> IndexManifest:
    """Build, check and store the index of one feature space of a snapshot."""
    plan = snapshot.plan()
    images = snapshot.images()
    return write_index(
        snapshot.storage,
        snapshot.index_folder(space.backbone),
        images,
        feature_store.read_vectors(snapshot.storage, space, images),
        space,
        trees=plan.index["trees"],
        seed=seed,
        neighbours=plan.evaluate["neighbours"],
        target_recall=plan.index["target_recall"],
        components=plan.index.get("pca"),
    )


@ray.remote(num_cpus=REDUCER_CPUS)
def project_space(config: Config, snapshot: Snapshot, backbone: str, method: str) -> Coordinates:
    """The map of one feature space's originals."""
    originals = snapshot.images().filter(pc.field("profile").is_null())
    vectors = feature_store.read_vectors(
        snapshot.storage, snapshot.plan().space(backbone), originals
    )
    return compute_projection(vectors, method, settings=config.projection, seed=config.seed)
