"""The reducer: one Ray task per feature space turns its vectors into an index."""

from __future__ import annotations

import ray

from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.indexes.index import IndexManifest
from simsearch.indexes.write import write_index
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.snapshot import Snapshot


@ray.remote(num_cpus=TASKS["index"].cpus, max_retries=ENDLESS)
def build_index(snapshot: Snapshot, space: FeatureSpace, seed: int) -> IndexManifest:
    """Build, check and store the index of one feature space of a snapshot."""
    plan = snapshot.plan()
    images = snapshot.images()
    return write_index(
        snapshot.storage,
        snapshot.index_folder(space.name),
        images,
        feature_store.read_vectors(snapshot.storage, space, images),
        space,
        trees=plan.settings.index.trees,
        seed=seed,
        neighbours=plan.settings.evaluate.neighbours,
        target_recall=plan.settings.index.target_recall,
        components=plan.settings.index.components,
        images_per_artwork=1 + len(plan.profiles),
    )
