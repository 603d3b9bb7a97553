"""Build indexes: one Ray task per feature space turns the space's vectors into an index."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import ray

from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.indexes.index import IndexManifest
from simsearch.indexes.write import write_index
from simsearch.runtime.progress import Advance
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.snapshot import Snapshot

log = logging.getLogger(__name__)


def build_indexes(
    snapshot: Snapshot, spaces: Sequence[FeatureSpace], seed: int, advance: Advance
) -> None:
    """Build the indexes of some spaces at once. `advance` gets the number of finished indexes."""
    pending = [build_index.remote(snapshot, space, seed) for space in spaces]
    while pending:
        (done,), pending = ray.wait(pending, num_returns=1)
        advance(len(spaces) - len(pending))
        _log_index(ray.get(done))


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


def _log_index(manifest: IndexManifest) -> None:
    shares = (
        f"{share:.4f} of {n}" + (" (exact search)" if manifest.exact_for(int(n) + 1) else "")
        for n, share in manifest.recalls.items()
    )
    log.info(
        "index: %s: finds %s nearest others, by Annoy %.4f of %d at search_k %d, "
        "of %d numbers a vector",
        manifest.fingerprint,
        " and ".join(shares),
        manifest.recall,
        manifest.neighbours,
        manifest.search_k,
        manifest.components or manifest.dimension,
    )
