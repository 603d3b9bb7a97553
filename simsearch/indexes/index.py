"""Indexes, opened only if they match their manifest. `simsearch.indexes.write` makes them. An OpenIndex
finds the nearest items of an item or a vector.

    index.ann       Annoy, of a few principal components: gives candidates
    axes.npy        float32 [dimension, components]
    vectors.npy     float32 [items, dimension] of length 1, mapped from disk: orders the candidates
    ids.parquet     schemas.IMAGES: which image each item is
    manifest.json   written last

All vectors are compared if that is faster than Annoy and its candidates: in whitened spaces, whose
directions all weigh the same, and for deep lists.

An `.ann` file contains neither its dimension nor its metric, and gives garbage if loaded with wrong ones.
Hence the manifest.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from simsearch.errors import MismatchError, NotFoundError
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.indexes.annoy import open_annoy
from simsearch.indexes.candidates import IndexSearch, is_slower_than_exact
from simsearch.indexes.exact import (
    ItemNumbers,
    Neighbours,
    exact_search,
    nearest_first,
    pair_distances,
)
from simsearch.storage.cached import local_file, map_array
from simsearch.storage.storage import Storage
from simsearch.storage.uris import is_local

if TYPE_CHECKING:
    from annoy import AnnoyIndex  # readers of vectors do without Annoy

NO_DIRECTION = 1e-6  # length below which a mean of unit vectors is mere float32 rounding
COMPARED_AT_ONCE = 8192  # items; of 4,096 numbers 128 MiB


@dataclass(frozen=True)
class IndexManifest:
    """The description beside an index. `recall` is the share of an item's `neighbours` nearest others that
    Annoy finds. `recalls` are the shares that the index finds, by the number of others. `factor` and
    `search_k` are those of `candidates.IndexSearch`. `components` None means that Annoy holds the whole
    vectors."""

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
    vectors_sha256: str
    components: int | None
    axes_sha256: str | None
    factor: int
    recalls: Mapping[str, float] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether all vectors are compared for the `neighbours` nearest others of an item."""
        return self.exact_for(self.neighbours + 1)  # the item is the nearest to itself

    def exact_for(self, n: int) -> bool:
        """Whether all vectors are compared for the nearest `n`, because Annoy and its candidates would take
        longer for the wanted recall."""
        candidates = min(self.items, n * self.factor)
        search_k = max(self.search_k, candidates)
        return is_slower_than_exact(self.items, self.dimension, search_k, candidates)


def read_manifest(storage: Storage, folder: str) -> IndexManifest:
    """The manifest of the index in a folder. Raises NotFoundError if there is none, as the index was never
    finished."""
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
    """An index that matches its manifest, mapped into memory.

    Distances are angular, as in `exact.Neighbours`.
    """

    manifest: IndexManifest
    images: pa.Table
    annoy: AnnoyIndex
    axes: Vectors | None  # [dimension, components]; None: Annoy holds the whole vectors
    units: Vectors  # [items, dimension], of length 1

    def search(self, queries: Vectors, n: int) -> Neighbours:
        """The nearest `n` of vectors [q, d]. Raises MismatchError for another dimension."""
        return self._search(self._queries(queries), n)

    def _search(self, queries: Vectors, n: int) -> Neighbours:
        if self.manifest.exact_for(n):
            return exact_search(self.units, queries, n)
        return self._by_candidates()(queries, n)

    def _by_candidates(self) -> IndexSearch:
        manifest = self.manifest
        return IndexSearch(self.annoy, self.units, self.axes, manifest.factor, manifest.search_k)

    def search_among(self, queries: Vectors, items: ItemNumbers, n: int) -> Neighbours:
        """The true nearest `n` to vectors [q, d] among some `items`, all of which are compared. Raises
        MismatchError for another dimension."""
        queries = self._queries(queries)
        numbers = np.asarray(items, dtype=np.int64)
        retrieved: list[npt.NDArray[np.int64]] = [np.empty((len(queries), 0), np.int64)]
        distances: list[Vectors] = [np.empty((len(queries), 0), np.float32)]
        for start in range(0, len(numbers), COMPARED_AT_ONCE):
            part = numbers[start : start + COMPARED_AT_ONCE]
            nearest = exact_search(self.units[part], queries, n)
            retrieved.append(part[nearest.items])
            distances.append(nearest.distances)
        candidates, apart = np.concatenate(retrieved, axis=1), np.concatenate(distances, axis=1)
        return Neighbours(*nearest_first(candidates, apart, n))

    def around(self, items: ItemNumbers, n: int) -> tuple[Neighbours, float]:
        """The nearest `n` to the mean direction of some items' unit vectors, and the length of their mean.
        The items themselves may be among the nearest. If the length is 0, there are no nearest ones."""
        mean = self.units[np.asarray(items, np.int64)].mean(axis=0, dtype=np.float64)
        length = float(np.linalg.norm(mean))
        if length < NO_DIRECTION:
            return Neighbours(np.empty((1, 0), np.int64), np.empty((1, 0), np.float32)), 0.0
        direction = (mean / length).astype(np.float32)[None]
        return self._search(direction, n), length

    def _queries(self, queries: Vectors) -> Vectors:
        if queries.shape[1] != self.manifest.dimension:
            raise MismatchError(
                f"index {self.manifest.fingerprint}: a vector of {queries.shape[1]} numbers in an index of "
                f"{self.manifest.dimension}; query with the space it was built for"
            )
        return unit_rows(queries)

    def near(self, items: ItemNumbers, n: int) -> Neighbours:
        """The nearest `n` of the index's own items. Each item finds itself, unless others are as near."""
        return self._search(self.units[np.asarray(items, dtype=np.int64)], n)

    def candidates(self, items: ItemNumbers, n: int) -> npt.NDArray[np.int64] | None:
        """The candidates [q, c] that `near` compares, in no order, −1 where there are fewer. None if `near`
        compares all vectors."""
        if self.manifest.exact_for(n):
            return None
        queries = self.units[np.asarray(items, dtype=np.int64)]
        return self._by_candidates().candidates(queries, n)

    def distances(self, first: ItemNumbers, second: ItemNumbers) -> npt.NDArray[np.float64]:
        """The distances [pairs] between the items first[i] and second[i]."""
        return pair_distances(self.units, first, second)


def open_index(
    storage: Storage, folder: str, fingerprint: str, *, verify: bool = True
) -> OpenIndex:
    """Open an index of the feature space `fingerprint`. Remote files are kept in a local cache.

    Raises MismatchError if the index is another space's, or if its files differ from its manifest.
    `verify=False` trusts local files of the right size without reading them whole.
    """
    manifest = manifest_of(storage, folder, fingerprint)
    where = storage.uri(folder)
    ids = _read_matching(storage, f"{folder}/ids.parquet", manifest.ids_sha256)
    axes = None
    if manifest.axes_sha256 is not None:
        data = _read_matching(storage, f"{folder}/axes.npy", manifest.axes_sha256)
        axes = np.load(io.BytesIO(data), allow_pickle=False)
    path = local_file(storage, f"{folder}/index.ann", manifest.annoy_sha256, verify=verify)
    index = open_annoy(path, manifest.components or manifest.dimension)
    if index.get_n_items() != manifest.items:
        raise MismatchError(
            f"{where}/index.ann: {index.get_n_items()} items, its manifest says {manifest.items}; build the index again"
        )
    units = open_vectors(storage, folder, manifest, verify=verify)
    return OpenIndex(manifest, pq.read_table(io.BytesIO(ids)), index, axes, units)


def manifest_of(storage: Storage, folder: str, fingerprint: str) -> IndexManifest:
    """The manifest of an index of the feature space `fingerprint`. Raises NotFoundError if there is no
    index, MismatchError if it is another space's."""
    manifest = read_manifest(storage, folder)
    if manifest.fingerprint != fingerprint:
        raise MismatchError(
            f"{storage.uri(folder)}: this index holds {manifest.fingerprint}, wanted {fingerprint}; build the index again"
        )
    return manifest


def open_vectors(
    storage: Storage, folder: str, manifest: IndexManifest, *, verify: bool = False
) -> Vectors:
    """The vectors of an index float32 [items, dimension], of length 1, read-only and mapped from disk. Those
    of a remote root are first copied into the local cache. Local files are read whole only to `verify`
    them.

    Raises NotFoundError if the file is gone, MismatchError if it differs from the manifest.
    """
    path, digest = f"{folder}/vectors.npy", manifest.vectors_sha256
    shape = (manifest.items, manifest.dimension)
    units = map_array(local_file(storage, path, digest, verify=verify), np.float32, shape)
    if units is None and not verify and not is_local(storage.uri(path)):
        # The copy in the cache is damaged. Verifying it fetches it anew.
        units = map_array(local_file(storage, path, digest, verify=True), np.float32, shape)
    if units is None:
        raise MismatchError(
            f"{storage.uri(path)}: not {manifest.items} vectors of {manifest.dimension} numbers; build the index again"
        )
    return units


def _read_matching(storage: Storage, path: str, sha256: str) -> bytes:
    data = storage.read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise MismatchError(
            f"{storage.uri(path)}: not the file of its manifest; build the index again"
        )
    return data
