"""Annoy indexes: built from feature shards, checked against exact search, opened only if they match.

An `.ann` file knows neither its dimension nor its metric and answers garbage when loaded with the
wrong ones, so each has a manifest beside it, written last.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from annoy import AnnoyIndex

from simsearch.errors import MismatchError, NotFoundError
from simsearch.features.space import FeatureSpace
from simsearch.indexes.annoy import (
    METRIC,
    annoy_search,
    build_annoy,
    check_queries,
    choose_search_k,
    open_annoy,
    principal_axes,
)
from simsearch.indexes.exact import Neighbours, Vectors, exact_search, recall_with_ties, unit_rows
from simsearch.storage.storage import Storage
from simsearch.storage.uris import is_local, local_path


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
    fewer = components is not None and components < min(units.shape)
    axes = principal_axes(units, components, seed) if components and fewer else None
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
            reached = _recall_of_whole(index, units, nearest, search_k, seed)
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


def _recall_of_whole(index: AnnoyIndex, units: Vectors, n: int, search_k: int, seed: int) -> float:
    """How many of the whole vectors' nearest `n` an index of their components finds, 0 to 1."""
    queries = check_queries(len(units), seed)
    found = annoy_search(index, [int(item) for item in queries], n, search_k)
    true = exact_search(units, units[queries], n)
    return recall_with_ties(found, true, units, units[queries])


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
                f"{self.manifest.dimension}; query with the space it was built for"
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
