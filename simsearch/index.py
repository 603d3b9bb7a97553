"""Annoy indexes: built from feature shards, checked against exact search, opened only if they match.

An `.ann` file knows neither its dimension nor its metric and answers garbage when loaded with the
wrong ones, so each has a manifest beside it, written last.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from annoy import AnnoyIndex

from simsearch.errors import MismatchError, NotFoundError
from simsearch.features.space import FeatureSpace
from simsearch.storage.storage import Storage
from simsearch.storage.uris import is_local, local_path

METRIC: Final = "angular"
SELF_CHECK_QUERIES = 200  # at recall 0.99 of 2,000 neighbours the standard error is 0.002
EXACT_CHUNK = 1024  # queries per matrix product: 1024 × 100,000 similarities are 0.4 GB
REFINE_BYTES = 2**20  # float64 differences at once: a core's cache; 64 MiB was half as fast
NEAR_COPY = 0.1  # below this distance float32 cosines lose digits of it
GROUP = 32  # items of which only the most similar is looked at first; 16 to 64 cost the same

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class IndexManifest:
    """What an index file is; `recall` is that of the `neighbours` nearest at `search_k`.

    `components`: Annoy holds that many principal components of the vectors, not the vectors
    themselves, and its distances are those between the components. None: whole vectors.
    """

    fingerprint: str
    trained: bool
    dimension: int
    items: int
    metric: str
    trees: int
    seed: int
    neighbours: int
    search_k: int
    recall: float
    recall_by_search_k: dict[str, float]
    annoy_sha256: str
    ids_sha256: str
    features_sha256: str
    components: int | None = None
    axes_sha256: str | None = None


@dataclass(frozen=True)
class Neighbours:
    """For each query its nearest items, nearest first: `items` int64 and `distances` float32, both
    [queries, n]. Distances are angular, √(2 − 2·cos), in [0, 2]. −1 and ∞ where fewer were found."""

    items: npt.NDArray[np.int64]
    distances: Vectors

    def first(self, n: int) -> Neighbours:
        return Neighbours(self.items[:, :n], self.distances[:, :n])


def cosine(distance: float) -> float:
    """The cosine similarity, in [−1, 1], of an angular distance √(2 − 2·cos)."""
    return 1 - distance**2 / 2


def unit_rows(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)


def exact_search(units: Vectors, queries: Vectors, n: int) -> Neighbours:
    """The true `n` nearest rows of `units` [items, d] for `queries` [q, d], both of unit rows.

    Candidates come from one float32 matrix product. Where that cannot tell their order, or where
    they are near-copies, distances are taken again in float64; ties are ordered by item number.
    """
    n = min(n, len(units))
    spare = min(len(units), n + 8)  # candidates whose order the float32 product may have wrong
    items = np.empty((len(queries), n), dtype=np.int64)
    distances = np.empty((len(queries), n), dtype=np.float32)
    for start in range(0, len(queries), EXACT_CHUNK):
        part = slice(start, start + EXACT_CHUNK)
        similarity = queries[part] @ units.T
        candidates = _most_similar(similarity, spare)
        squared = 2 - 2 * np.take_along_axis(similarity, candidates, axis=1).astype(np.float64)
        del similarity  # before the next product, which is as large
        rows, columns = np.nonzero(_unclear(squared, units.shape[1]))
        squared[rows, columns] = _squared_distances(
            units, candidates[rows, columns], queries[part], rows
        )
        order = np.lexsort((candidates, squared), axis=1)[:, :n]
        items[part] = np.take_along_axis(candidates, order, axis=1)
        distances[part] = np.sqrt(np.take_along_axis(squared, order, axis=1))
    return Neighbours(items, distances)


def _unclear(squared: npt.NDArray[np.float64], dimension: int) -> npt.NDArray[np.bool_]:
    """Which squared distances [q, c] from float32 cosines may stand in the wrong order.

    A cosine of unit vectors is off by at most λ√d·2⁻²⁴ but for a probability of 2d·exp(−λ²/2)
    (Higham and Mary 2019, A new approach to probabilistic rounding error analysis), here λ = 10.
    """
    error = 2 * 10 * dimension**0.5 * 2.0**-24
    order = np.argsort(squared, axis=1)
    close = np.diff(np.take_along_axis(squared, order, axis=1), axis=1) <= 2 * error
    unclear = np.zeros(squared.shape, dtype=bool)
    np.put_along_axis(unclear, order[:, 1:], close, axis=1)
    before = np.take_along_axis(unclear, order[:, :-1], axis=1) | close
    np.put_along_axis(unclear, order[:, :-1], before, axis=1)
    return unclear | (squared < NEAR_COPY**2)


def _squared_distances(
    units: Vectors,
    items: npt.NDArray[np.int64],
    queries: Vectors,
    rows: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """‖units[items] − queries[rows]‖² [pairs], in float64; 2 for a zero vector, as Annoy has it."""
    squared = np.empty(len(items), dtype=np.float64)
    step = max(1, REFINE_BYTES // (8 * units.shape[1]))
    for start in range(0, len(items), step):
        part = slice(start, start + step)
        one, other = units[items[part]], queries[rows[part]]
        difference = one.astype(np.float64) - other
        squared[part] = np.einsum("pd,pd->p", difference, difference)
        squared[part][~(one.any(axis=1) & other.any(axis=1))] = 2
    return squared


def _most_similar(similarity: Vectors, count: int) -> npt.NDArray[np.int64]:
    """The columns of the `count` largest values of each row [q, items], in no order.

    They lie in the `count` groups with the largest maxima, so only those are looked into: a pass of
    maxima costs a tenth of a partition of whole rows. Group g is every `groups`-th column from g on.
    """
    items = similarity.shape[1]
    groups = items // GROUP
    if 2 * count > groups:
        return np.asarray(np.argpartition(similarity, items - count, axis=1)[:, items - count :])
    grouped = similarity[:, : groups * GROUP].reshape(len(similarity), GROUP, groups)
    best = np.argpartition(grouped.max(axis=1), groups - count, axis=1)[:, groups - count :]
    columns = (best[:, None] + groups * np.arange(GROUP)[:, None]).reshape(len(best), -1)
    rest = np.broadcast_to(np.arange(groups * GROUP, items), (len(best), items % GROUP))
    columns = np.concatenate([columns, rest], axis=1)
    return np.asarray(
        np.take_along_axis(
            columns, _most_similar(np.take_along_axis(similarity, columns, axis=1), count), axis=1
        )
    )


def principal_axes(units: Vectors, count: int, seed: int) -> Vectors:
    """The first `count` principal axes [d, count] of unit rows [n, d], by sklearn's randomized_svd.

    About the origin, not the mean: centring would change the angles between vectors.
    """
    from sklearn.utils.extmath import randomized_svd  # seconds to import, and few indexes need it

    _, _, axes = randomized_svd(units, count, random_state=seed)
    return np.asarray(axes.T, dtype=np.float32)


def build_annoy(vectors: Vectors, path: Path, *, trees: int, seed: int) -> None:
    """Write an Annoy file of `vectors` [n, d]; the same input gives the same bytes.

    One job: with more, the same seed gives a different file each time.
    """
    index = AnnoyIndex(vectors.shape[1], METRIC)
    index.set_seed(seed)
    for item, vector in enumerate(vectors):
        index.add_item(item, vector)
    index.build(trees, n_jobs=1)
    index.save(str(path))
    index.unload()


def open_annoy(path: Path, dimension: int) -> AnnoyIndex:
    index = AnnoyIndex(dimension, METRIC)
    index.load(str(path))
    return index


def annoy_search(
    index: AnnoyIndex, queries: Sequence[int] | Vectors, n: int, search_k: int
) -> Neighbours:
    """The nearest `n` that Annoy finds, for item numbers or for vectors [q, d]."""
    search = index.get_nns_by_vector if isinstance(queries, np.ndarray) else index.get_nns_by_item
    items = np.full((len(queries), n), -1, dtype=np.int64)
    distances = np.full((len(queries), n), np.inf, dtype=np.float32)
    for row, query in enumerate(queries):
        found, apart = search(query, n, search_k, include_distances=True)
        items[row, : len(found)] = found
        distances[row, : len(apart)] = apart
    return Neighbours(items, distances)


def recall(found: Neighbours, true: Neighbours) -> float:
    """The share of the true nearest that were found, 0 to 1."""
    hits = (found.items[:, :, None] == true.items[:, None, :]).any(axis=1)
    return float(hits.mean())


def choose_search_k(
    index: AnnoyIndex, units: Vectors, *, n: int, trees: int, target: float, seed: int
) -> tuple[int, dict[str, float]]:
    """The smallest `search_k` of a doubling series that reaches `target` recall of the `n` nearest.

    Measured on a seeded sample of the index's own items against exact search. Returns it with the
    recall at every value tried. If even a search of everything misses the target (float32 distances
    cannot order vectors that lie too close), the smallest with the best recall is taken; the manifest
    shows what it reaches.
    """
    queries = _check_queries(len(units), seed)
    true = exact_search(units, units[queries], n)
    n = true.items.shape[1]
    tried: dict[str, float] = {}
    search_k = trees * n
    while True:
        found = annoy_search(index, [int(item) for item in queries], n, search_k)
        tried[str(search_k)] = reached = recall(found, true)
        if reached >= target:
            return search_k, tried
        if search_k >= len(units) * trees:
            return int(max(tried, key=lambda value: tried[value])), tried
        search_k *= 2


def _check_queries(items: int, seed: int) -> npt.NDArray[np.int64]:
    random = np.random.default_rng(seed)
    return np.sort(random.choice(items, min(SELF_CHECK_QUERIES, items), replace=False))


def write_index(
    storage: Storage,
    folder: str,
    images: pa.Table,
    vectors: Vectors,
    space: FeatureSpace,
    *,
    trees: int,
    seed: int,
    neighbours: int,
    target_recall: float,
    components: int | None = None,
) -> IndexManifest:
    """Build, check and store the index of `vectors` [n, d], row i being row i of `images`.

    With `components` Annoy gets that many principal components, where the vectors have more. Then
    `search_k` is chosen for the target recall among the components, which is all that searching
    more can reach, and the manifest's `recall` is still that of the whole vectors' nearest.
    """
    units = unit_rows(vectors)
    axes = None
    if components is not None and components < min(units.shape):
        axes = principal_axes(units, components, seed)
    stored = vectors if axes is None else units @ axes
    nearest = neighbours + 1  # the query finds itself
    with tempfile.TemporaryDirectory(prefix="simsearch-") as scratch:
        path = Path(scratch) / "index.ann"
        build_annoy(stored, path, trees=trees, seed=seed)
        index = open_annoy(path, stored.shape[1])
        search_k, tried = choose_search_k(
            index, unit_rows(stored), n=nearest, trees=trees, target=target_recall, seed=seed
        )
        reached, axes_sha256 = tried[str(search_k)], None
        if axes is not None:
            queries = _check_queries(len(units), seed)
            found = annoy_search(index, [int(item) for item in queries], nearest, search_k)
            reached = recall(found, exact_search(units, units[queries], nearest))
            data = _npy(axes)
            storage.write_bytes(f"{folder}/axes.npy", data)
            axes_sha256 = hashlib.sha256(data).hexdigest()
        index.unload()
        storage.write_table(f"{folder}/ids.parquet", images)
        storage.upload(path, f"{folder}/index.ann")
        manifest = IndexManifest(
            fingerprint=space.fingerprint,
            trained=space.trained,
            dimension=space.dimension,
            items=len(vectors),
            metric=METRIC,
            trees=trees,
            seed=seed,
            neighbours=neighbours,
            search_k=search_k,
            recall=reached,
            recall_by_search_k=tried,
            annoy_sha256=file_digest(path),
            ids_sha256=storage.digest(f"{folder}/ids.parquet"),
            features_sha256=hashlib.sha256(np.ascontiguousarray(vectors).tobytes()).hexdigest(),
            components=None if axes is None else axes.shape[1],
            axes_sha256=axes_sha256,
        )
    storage.write_json(f"{folder}/manifest.json", asdict(manifest))
    return manifest


def read_manifest(storage: Storage, folder: str) -> IndexManifest:
    """Raises NotFoundError for a folder without one: its index was never finished."""
    try:
        values: dict[str, Any] = storage.read_json(f"{folder}/manifest.json")
    except NotFoundError:
        raise NotFoundError(
            f"{storage.uri(folder)}: no finished index here; run `simsearch index`"
        ) from None
    try:
        return IndexManifest(**values)
    except TypeError as error:
        raise MismatchError(
            f"{storage.uri(folder)}/manifest.json: not this version's manifest ({error}); build the index again"
        ) from None


@dataclass(frozen=True)
class OpenIndex:
    """An index that matches its manifest, mapped into memory."""

    manifest: IndexManifest
    images: pa.Table
    annoy: AnnoyIndex
    axes: Vectors | None = None  # [dimension, components]

    def search(self, queries: Vectors, n: int) -> Neighbours:
        """The nearest `n` of vectors [q, d]. Raises MismatchError for another dimension."""
        if queries.shape[1] != self.manifest.dimension:
            raise MismatchError(
                f"index {self.manifest.fingerprint}: a vector of {queries.shape[1]} numbers in an index of "
                f"{self.manifest.dimension}; query with the backbone it was built for"
            )
        if self.axes is not None:
            queries = unit_rows(queries) @ self.axes
        return annoy_search(self.annoy, queries, n, max(self.manifest.search_k, n))


def open_index(
    storage: Storage, folder: str, fingerprint: str, *, verify: bool = True
) -> OpenIndex:
    """Open an index of the feature space `fingerprint`; remote files are kept in a local cache.

    Raises MismatchError when it is another space's, or its files are not those of its manifest.
    `verify=False` trusts a local file of the right size without reading it whole.
    """
    manifest = read_manifest(storage, folder)
    where = storage.uri(folder)
    if manifest.fingerprint != fingerprint:
        raise MismatchError(
            f"{where}: this index holds {manifest.fingerprint}, wanted {fingerprint}; build the index again"
        )
    ids = _matching(storage, f"{folder}/ids.parquet", manifest.ids_sha256)
    axes = None
    if manifest.axes_sha256 is not None:
        data = _matching(storage, f"{folder}/axes.npy", manifest.axes_sha256)
        axes = np.load(io.BytesIO(data), allow_pickle=False)
    path = _local_copy(storage, f"{folder}/index.ann", manifest)
    if verify and file_digest(path) != manifest.annoy_sha256:
        raise MismatchError(
            f"{where}/index.ann: not the file of its manifest; build the index again"
        )
    index = open_annoy(path, manifest.components or manifest.dimension)
    if index.get_n_items() != manifest.items:
        raise MismatchError(
            f"{where}/index.ann: {index.get_n_items()} items, its manifest says {manifest.items}; build the index again"
        )
    images = pq.read_table(io.BytesIO(ids))
    return OpenIndex(manifest, images, index, axes)


def _matching(storage: Storage, path: str, sha256: str) -> bytes:
    data = storage.read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise MismatchError(
            f"{storage.uri(path)}: not the file of its manifest; build the index again"
        )
    return data


def _npy(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simsearch"


def _local_copy(storage: Storage, path: str, manifest: IndexManifest) -> Path:
    uri = storage.uri(path)
    if is_local(uri):
        local = Path(local_path(uri))
        if not local.exists():
            raise NotFoundError(f"{uri}: nothing there; build the index again")
        return local
    cached = cache_folder() / "indexes" / f"{manifest.annoy_sha256}.ann"
    if not cached.exists():
        storage.download(path, cached)
    return cached
