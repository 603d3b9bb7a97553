"""Maps: each feature space's originals in two dimensions, to look at.

Pure functions of vectors. A run calls them in one task per space and method.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch import schemas
from simsearch.errors import NotFoundError
from simsearch.features import store as feature_store
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.maps.placing import DEPARTED, Carried, Coordinates, carry, place, span_components
from simsearch.maps.umap_map import Tell, epochs, umap_map
from simsearch.runtime.remote_count import RemoteCount
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.runtime.watchdog import Count
from simsearch.settings.config import Config
from simsearch.settings.sections.analysis import ProjectionConfig
from simsearch.snapshots.snapshot import Snapshot

log = logging.getLogger(__name__)

UMAP_INPUT = 50  # principal components that UMAP gets: the rest is mostly noise, and slow

FEWEST_DISTINCT = 4  # different vectors: UMAP finds no neighbourhoods in fewer

# Components of equal vectors differ by rounding, some 1e-7 for vectors of length 1: by less than this, and
# by less than this share of the largest component.
ROUNDING, ROUNDING_SHARE = 1e-6, 1e-5


@dataclass(frozen=True)
class SpaceMap:
    """A map of a space: the `points` float32 [n, 2] of its originals, and `fitted` bool [n], which marks
    those to which it was fitted. `anew` says whether it was fitted for this snapshot or carried over.
    `departed` is the number of fitted artworks that have left."""

    points: Coordinates
    fitted: npt.NDArray[np.bool_]
    anew: bool
    departed: int = 0


def project(
    vectors: Vectors,
    method: str,
    *,
    settings: ProjectionConfig,
    seed: int,
    tell: Tell = lambda _: None,
) -> Coordinates:
    """`vectors` [n, d] in two dimensions, float32 [n, 2]. The same input gives the same map.

    `pca`: the first two principal components of the unit vectors (sklearn.decomposition.PCA).
    `umap`: McInnes et al. 2018 (umap-learn) with cosine distance on the first principal components,
    started from the PCA map so that the overall shape has a meaning (Kobak & Linderman 2021). For fewer
    than four different vectors it is the PCA map, in which equal vectors lie at one point. `tell` gets the
    number of finished epochs after each.
    """
    if not len(vectors):
        return np.zeros((0, 2), dtype=np.float32)
    components = principal_components(vectors, UMAP_INPUT if method == "umap" else 2, seed)
    if method == "pca" or not _have_distinct(components, FEWEST_DISTINCT):
        return _two_columns(components)
    points = umap_map(components, _two_columns(components), settings, seed, tell)
    if np.isfinite(points).all():
        return points
    log.warning("project: UMAP gave no finite map; its place takes the map of principal components")
    return _two_columns(components)


def principal_components(vectors: Vectors, count: int, seed: int) -> Coordinates:
    """Up to `count` principal components [n, ≤ count] of the unit vectors, largest first.

    Signs are fixed (sklearn's svd_flip), so that a repeated run gives the same map and not its mirror.
    """
    from sklearn.decomposition import PCA  # takes seconds, and the explorer does not need it

    units = unit_rows(vectors)
    if (units == units[0]).all():
        return np.zeros((len(units), 1), dtype=np.float32)
    # Centred here, because sklearn squares before it centres: for vectors within 1e-3 of one another, the
    # rounding would be larger than their differences.
    units -= units.mean(axis=0, dtype=np.float64).astype(np.float32)
    count = min(count, *units.shape)
    pca = PCA(count, svd_solver="auto", random_state=seed).fit(units)
    # Not fit_transform: for many vectors its coordinates are along other axes than the components.
    return np.asarray(pca.transform(units), dtype=np.float32)


def _have_distinct(components: Coordinates, count: int) -> bool:
    """Whether `count` of the rows [n, c] differ from one another by more than rounding."""
    rounding = max(ROUNDING, ROUNDING_SHARE * float(np.abs(components).max()))
    others = components
    for _ in range(count - 1):
        others = others[np.abs(others - others[:1]).max(axis=1, initial=0) > rounding]
    return len(others) > 0


def align(points: npt.NDArray[np.floating], reference: npt.NDArray[np.floating]) -> Coordinates:
    """`points` [n, 2], turned or mirrored but not stretched, as near to `reference` [n, 2] as possible.

    By orthogonal Procrustes (scipy.linalg). Distances on the map stay, and points lie at similar places on
    different spaces' maps.
    """
    from scipy.linalg import orthogonal_procrustes

    centred = points - points.mean(axis=0)
    rotation, _ = orthogonal_procrustes(centred, reference - reference.mean(axis=0))
    return np.asarray(centred @ rotation, dtype=np.float32)


def projection_table(
    originals: pa.Table,
    points: Coordinates,
    fitted: npt.NDArray[np.bool_] | None = None,
    departed: int = 0,
) -> pa.Table:
    """schemas.PROJECTION of `originals` (schemas.IMAGES rows without copies), row by row. `fitted` None:
    all were. The table's metadata has `departed`, the number of fitted artworks that have left."""
    fitted_or_all = np.ones(originals.num_rows, dtype=bool) if fitted is None else fitted
    return pa.table(
        {
            "image_id": originals["image_id"],
            "artwork_id": originals["artwork_id"],
            "x": pa.array(points[:, 0], pa.float32()),
            "y": pa.array(points[:, 1], pa.float32()),
            "fitted": pa.array(fitted_or_all, pa.bool_()),
        },
        schema=schemas.PROJECTION,
    ).replace_schema_metadata({DEPARTED: str(departed)} if departed else None)


def _two_columns(components: Coordinates) -> Coordinates:
    missing = max(0, 2 - components.shape[1])
    return np.pad(components[:, :2], ((0, 0), (0, missing)))


@ray.remote(num_cpus=TASKS["project"].cpus, max_retries=ENDLESS)
def project_space(
    config: Config,
    snapshot: Snapshot,
    space: str,
    method: str,
    previous: Snapshot | None,
    tell: Tell,
) -> SpaceMap:
    """The map of one feature space's originals: the previous snapshot's with new artworks placed on it, or
    a new map. `tell` gets the number of finished epochs of a new map."""
    originals = _originals(snapshot)
    carried = None
    if previous is not None:
        carried = _carry(previous, snapshot, config, space, method)
    if carried is not None and carried.known.all():
        return SpaceMap(carried.points, carried.fitted, anew=False, departed=carried.departed)
    vectors = feature_store.read_vectors(snapshot.storage, snapshot.plan().space(space), originals)
    if carried is not None and method == "pca" and not span_components(vectors, carried):
        _say_anew(space, method, "the artworks left of it do not determine its axes")
        carried = None
    if carried is not None:
        points = place(vectors, carried, method, config.projection.umap_neighbours)
        return SpaceMap(points, carried.fitted, anew=False, departed=carried.departed)
    points = project(vectors, method, settings=config.projection, seed=config.seed, tell=tell)
    return SpaceMap(points, np.ones(len(points), dtype=bool), anew=True)


def _carry(
    previous: Snapshot, snapshot: Snapshot, config: Config, space: str, method: str
) -> Carried | None:
    """The previous map of a space. None, with the reason in the log, if it was made in another way, if too
    many artworks have come or left since, or if the remaining ones cannot place others."""
    before, now = previous.plan(), snapshot.plan()
    names = {old_space.fingerprint: old_space.name for old_space in before.spaces}
    name = names.get(now.space(space).fingerprint)
    same = (before.settings.projection, before.seed) == (config.projection, config.seed)
    if name is None or not same:
        return None
    try:
        earlier = previous.storage.read_table(previous.projection_path(name, method))
    except NotFoundError:
        return None
    carried = carry(earlier, _originals(previous), _originals(snapshot))
    reason = carried.why_anew(config.projection.refit_share)
    if reason is None:
        return carried
    _say_anew(space, method, reason)
    return None


def _say_anew(space: str, method: str, reason: str) -> None:
    log.info("project: %s: the %s map is fitted anew: %s", space, method, reason)


def _originals(snapshot: Snapshot) -> pa.Table:
    return snapshot.images().filter(pc.field("profile").is_null())


def align_all(maps: Sequence[SpaceMap]) -> list[Coordinates]:
    """The points of the spaces' maps, turned to be similar. Maps fitted anew are aligned to the first map.
    Maps carried over stay as they are, unless the first map was fitted anew."""
    first = maps[0]
    return [
        align(space_map.points, first.points) if space_map.anew or first.anew else space_map.points
        for space_map in maps
    ]


def lay_out(
    config: Config,
    snapshot: Snapshot,
    spaces: Sequence[str],
    previous: Snapshot | None,
    count: Count | RemoteCount,
) -> None:
    """Make and store the maps of all spaces by every method. Maps of the snapshot `previous` are carried
    over where possible. `count` gets the finished `epochs` of each map: from the map's task, if it is a
    remote count, and once the map is made."""
    originals = _originals(snapshot)
    for method in config.projection.methods:
        tells = [partial(count.tell, part=f"{space} by {method}") for space in spaces]
        pending = [
            project_space.remote(config, snapshot, space, method, previous, tell)
            for space, tell in zip(spaces, tells, strict=True)
        ]
        maps = []
        for reference, tell in zip(pending, tells, strict=True):
            maps.append(ray.get(reference))
            tell(epochs(method, originals.num_rows))
        for space, points, space_map in zip(spaces, align_all(maps), maps, strict=True):
            snapshot.storage.write_table(
                snapshot.projection_path(space, method),
                projection_table(originals, points, space_map.fitted, space_map.departed),
            )
