"""Build indexes from vectors, check them against exact search, and store them with the manifest last."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.features.space import FeatureSpace
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.indexes.annoy import (
    METRIC,
    build_annoy,
    check_queries,
    open_annoy,
    principal_axes,
)
from simsearch.indexes.candidates import IndexSearch, components_for, measure_recall, tune
from simsearch.indexes.index import IndexManifest
from simsearch.storage.cached import file_digest
from simsearch.storage.storage import Storage


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
    images_per_artwork: int = 1,
) -> IndexManifest:
    """Build, check and store the index of `vectors` [n, d], whose rows are those of `images`.

    Annoy gets `components` principal components (None: `candidates.components_for`), if the vectors have
    more. The recall is measured for the `neighbours` nearest images, and for the number of images that a
    search for as many artworks goes through, each of which has `images_per_artwork`.
    """
    units = unit_rows(vectors)
    count = components or components_for(units.shape[1])
    axes = principal_axes(units, count, seed) if count < min(units.shape) else None
    with tempfile.TemporaryDirectory(prefix="simsearch-") as scratch:
        annoy, matrix = Path(scratch) / "index.ann", Path(scratch) / "vectors.npy"
        build_annoy(units if axes is None else units @ axes, annoy, trees=trees, seed=seed)
        opened = open_annoy(annoy, units.shape[1] if axes is None else axes.shape[1])
        search, tried = tune(
            opened, units, axes, n=neighbours, trees=trees, target=target_recall, seed=seed
        )
        np.save(matrix, units, allow_pickle=False)
        storage.write_table(f"{folder}/ids.parquet", images)
        storage.upload(annoy, f"{folder}/index.ann")
        storage.upload(matrix, f"{folder}/vectors.npy")
        manifest = IndexManifest(
            fingerprint=space.fingerprint,
            trained=space.trained,
            dimension=space.dimension,
            items=len(vectors),
            metric=METRIC,
            trees=trees,
            seed=seed,
            neighbours=neighbours,
            search_k=search.search_k,
            recall=tried[str(search.search_k)],
            recall_by_search_k=tried,
            annoy_sha256=file_digest(annoy),
            ids_sha256=storage.digest(f"{folder}/ids.parquet"),
            features_sha256=hashlib.sha256(np.ascontiguousarray(vectors).tobytes()).hexdigest(),
            components=None if axes is None else axes.shape[1],
            axes_sha256=None if axes is None else _store_axes(storage, folder, axes),
            vectors_sha256=file_digest(matrix),
            factor=search.factor,
        )
        asked = {neighbours, (neighbours + 1) * images_per_artwork - 1}
        manifest = replace(manifest, recalls=_recalls(search, manifest, sorted(asked)))
        opened.unload()
    storage.write_json(f"{folder}/manifest.json", asdict(manifest))
    return manifest


def _recalls(
    search: IndexSearch, manifest: IndexManifest, asked: Sequence[int]
) -> dict[str, float]:
    """The recall of the opened index for each number of others `asked` for. Numbers are cut to the others
    that exist."""
    sample = check_queries(manifest.items, manifest.seed)
    depths = sorted({min(n, manifest.items - 1) for n in asked})
    return {
        str(n): 1.0
        if manifest.exact_for(n + 1)
        else measure_recall(search, search.units, sample, n)
        for n in depths
    }


def _store_axes(storage: Storage, folder: str, axes: npt.NDArray[Any]) -> str:
    """Store the axes [dimension, components]. Returns the file's SHA-256."""
    buffer = io.BytesIO()
    np.save(buffer, axes, allow_pickle=False)
    storage.write_bytes(f"{folder}/axes.npy", buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()
