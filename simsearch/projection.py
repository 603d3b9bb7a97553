"""Maps: each feature space's originals in two dimensions, for the eye.

Pure functions of vectors; the pipeline runs them as one task per space and method.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch import schemas
from simsearch.config import Config
from simsearch.features import store as feature_store
from simsearch.indexes.exact import Vectors, unit_rows
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.sections.analysis import ProjectionConfig
from simsearch.snapshots.snapshot import Snapshot

UMAP_INPUT = 50  # principal components that UMAP starts from: the rest is mostly noise, and slow

INITIAL_SPREAD = 1e-4  # as Kobak & Linderman 2021 scale a PCA initialisation

Coordinates = npt.NDArray[np.float32]


def project(vectors: Vectors, method: str, *, settings: ProjectionConfig, seed: int) -> Coordinates:
    """`vectors` [n, d] in two dimensions, float32 [n, 2]; the same input gives the same map.

    `pca`: the first two principal components of the unit vectors (sklearn.decomposition.PCA).
    `umap`: McInnes et al. 2018 (umap-learn) with cosine distance on the first principal components,
    started from the PCA map so that the overall shape means something (Kobak & Linderman 2021).
    """
    if len(vectors) < 3:  # nothing to tell apart
        return np.asarray([[float(place), 0.0] for place in range(len(vectors))], dtype=np.float32)
    components = principal_components(vectors, UMAP_INPUT if method == "umap" else 2, seed)
    if method == "pca" or len(vectors) < 4:  # UMAP needs a neighbourhood to speak of
        return _two_columns(components)
    return _umap(components, settings, seed)


def principal_components(vectors: Vectors, count: int, seed: int) -> Coordinates:
    """Up to `count` principal components [n, ≤ count] of the unit vectors, largest first.

    Signs are fixed (sklearn's svd_flip), so a repeated run gives the same map and not its mirror.
    """
    from sklearn.decomposition import PCA  # seconds to import, and the explorer needs only paths

    units = unit_rows(vectors)
    count = min(count, *units.shape)
    fitted = PCA(count, svd_solver="auto", random_state=seed).fit_transform(units)
    return np.asarray(fitted, dtype=np.float32)


def align(points: npt.NDArray[np.floating], reference: npt.NDArray[np.floating]) -> Coordinates:
    """`points` [n, 2] turned or mirrored, never stretched, to lie as near `reference` [n, 2] as can be.

    Orthogonal Procrustes (scipy.linalg): distances on the map stay, and points move little when
    the eye goes from one space's map to another's.
    """
    from scipy.linalg import orthogonal_procrustes

    centred = points - points.mean(axis=0)
    rotation, _ = orthogonal_procrustes(centred, reference - reference.mean(axis=0))
    return np.asarray(centred @ rotation, dtype=np.float32)


def projection_table(originals: pa.Table, points: Coordinates) -> pa.Table:
    """schemas.PROJECTION of `originals` (schemas.IMAGES rows without copies), row by row."""
    return pa.table(
        {
            "image_id": originals["image_id"],
            "artwork_id": originals["artwork_id"],
            "x": pa.array(points[:, 0], pa.float32()),
            "y": pa.array(points[:, 1], pa.float32()),
        },
        schema=schemas.PROJECTION,
    )


def _umap(components: Coordinates, settings: ProjectionConfig, seed: int) -> Coordinates:
    from umap import UMAP  # compiles with Numba at import: seconds that only this needs

    start = _two_columns(components)
    spread = float(start[:, 0].std()) or 1.0
    reducer = UMAP(
        n_neighbors=min(settings.umap_neighbours, len(components) - 1),
        min_dist=settings.umap_min_distance,
        metric="cosine",
        init=start / spread * INITIAL_SPREAD,
        random_state=seed,
        n_jobs=1,  # with a seed there is no more; said, so that UMAP does not warn of it
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="umap")
        return np.asarray(reducer.fit_transform(components), dtype=np.float32)


def _two_columns(components: Coordinates) -> Coordinates:
    missing = max(0, 2 - components.shape[1])
    return np.pad(components[:, :2], ((0, 0), (0, missing)))


@ray.remote(num_cpus=TASKS["project"].cpus, max_retries=ENDLESS)
def project_space(config: Config, snapshot: Snapshot, space: str, method: str) -> Coordinates:
    """The map of one feature space's originals."""
    originals = snapshot.images().filter(pc.field("profile").is_null())
    vectors = feature_store.read_vectors(snapshot.storage, snapshot.plan().space(space), originals)
    return project(vectors, method, settings=config.projection, seed=config.seed)
