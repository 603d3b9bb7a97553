"""Indexes are built from vectors, checked against exact search and stored; the manifest comes last."""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.features.space import FeatureSpace
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.indexes.annoy import METRIC, build_annoy, open_annoy, principal_axes
from simsearch.indexes.candidates import components_for, tuned
from simsearch.indexes.index import IndexManifest, file_digest
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
) -> IndexManifest:
    """Build, check and store the index of `vectors` [n, d], row i being row i of `images`.

    Annoy gets `components` principal components (None: `candidates.components_for`), where the
    vectors have more.
    """
    units = unit_rows(vectors)
    count = components or components_for(units.shape[1])
    axes = principal_axes(units, count, seed) if count < min(units.shape) else None
    with tempfile.TemporaryDirectory(prefix="simsearch-") as scratch:
        annoy, matrix = Path(scratch) / "index.ann", Path(scratch) / "vectors.npy"
        build_annoy(units if axes is None else units @ axes, annoy, trees=trees, seed=seed)
        opened = open_annoy(annoy, units.shape[1] if axes is None else axes.shape[1])
        nearest = neighbours + 1  # the query finds itself
        search, tried = tuned(
            opened, units, axes, n=nearest, trees=trees, target=target_recall, seed=seed
        )
        opened.unload()
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
    storage.write_json(f"{folder}/manifest.json", asdict(manifest))
    return manifest


def _store_axes(storage: Storage, folder: str, axes: npt.NDArray[Any]) -> str:
    """Store the axes [dimension, components]; returns the file's SHA-256."""
    buffer = io.BytesIO()
    np.save(buffer, axes, allow_pickle=False)
    storage.write_bytes(f"{folder}/axes.npy", buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()
