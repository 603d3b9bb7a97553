"""`evaluation`: the evaluate step, vectors given, against exact search by plain BLAS."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.stored import write_catalog
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.images.suites import STUDY_PROFILES
from simsearch.indexes.exact import EXACT_CHUNK, exact_search
from simsearch.runs import steps as pipeline
from simsearch.runs.context import take
from simsearch.schemas import image_id
from simsearch.settings.config import Config, load_config
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.root import open_root
from simsearch.storage.storage import root_of
from tests.benchmarks.measuring import Asked, Comparison, Result, alone, in_turn
from tests.benchmarks.pictures import given_vectors

SEARCHED = 50_000
EVALUATED = 5000
DIMENSION = 512
DEPTH = 155  # the evaluate step's default: 100 scored, 5 copies, 50 spare
SPACE = FeatureSpace(
    "given", "given", "given", DIMENSION, "given", "0" * 64, True, "given", "eval", "float32", "#ffffff", "given"
)  # fmt: skip


def measure(asked: Asked, scratch: Path) -> Result:
    many, few = asked.artworks or SEARCHED, asked.artworks or EVALUATED
    config = settings(scratch / "searched")
    alone(prepare, config, many)
    searched, plain = in_turn(
        lambda: alone(search_seconds, config), lambda: alone(blas_seconds, config), asked.repeats
    )
    config = settings(scratch / "evaluated")
    alone(prepare, config, few)
    alone(take, config, pipeline.index)
    whole, again = in_turn(
        lambda: alone(evaluate_seconds, config), lambda: alone(blas_seconds, config), asked.repeats
    )
    baseline = "BLAS product and argpartition"
    return Result(
        {
            "vectors": f"generated, {1 + len(STUDY_PROFILES)} variants of each original, of {DIMENSION}",
            "ranks": DEPTH,
        },
        [
            Comparison(
                f"exact search of {many:,} originals in {many * (1 + len(STUDY_PROFILES)):,} images",
                baseline, "s", searched, plain, "≤ 1.2",
            ),
            Comparison(
                f"whole neighbours and evaluate steps of {few:,}: exact, Annoy, originals alone, scores, Ray's start",
                baseline, "s", whole, again,
            ),
        ],
    )  # fmt: skip


def settings(root: Path) -> Config:
    return load_config(
        None,
        [f"root={root}", "catalog.reader=folder", f"catalog.source={root}",
         "projection.methods=[pca]"],
    )  # fmt: skip


def prepare(config: Config, artworks: int) -> None:
    """A planned snapshot of given vectors: each original and its slightly moved copies."""
    storage = root_of(config)
    open_root(storage)
    names = [f"{number:06}" for number in range(artworks)]
    table = pa.Table.from_pylist(
        [
            {"artwork_id": name, "title": name, "artists": [f"Artist {number % 200}"],
             "image_uri": "", "etag": "1"}
            for number, name in enumerate(names)
        ],
        schema=schemas.CATALOG,
    )  # fmt: skip
    rows = [
        {"image_id": image_id(name, profile), "artwork_id": name, "profile": profile,
         "content_hash": name.ljust(64, "0")}
        for name in names
        for profile in (None, *STUDY_PROFILES)
    ]  # fmt: skip
    rows.sort(key=lambda row: str(row["image_id"]))
    images = pa.Table.from_pylist(rows, schema=schemas.IMAGES)
    feature_store.write_shard(storage, SPACE, images, given_vectors(images, DIMENSION))
    snapshots.write_plan(
        storage, config, write_catalog(storage, table), (SPACE,), {"given": "given"},
        images, schemas.REJECTS.empty_table(), artworks,
    )  # fmt: skip


def given(config: Config) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """The unit vectors of all images, and which are originals."""
    snapshot = snapshots.pending_snapshot(root_of(config))
    images = snapshot.images()
    units = unit_rows(feature_store.read_vectors(snapshot.storage, SPACE, images))
    return units, np.flatnonzero(~np.asarray(images["profile"].is_valid()))


def search_seconds(config: Config) -> float:
    units, originals = given(config)
    started = time.perf_counter()
    exact_search(units, units[originals], DEPTH + 1)
    return time.perf_counter() - started


def blas_seconds(config: Config) -> float:
    """Seconds of the least work of an exact search: the product, and each row's largest places."""
    units, originals = given(config)
    queries = units[originals]
    started = time.perf_counter()
    for start in range(0, len(queries), EXACT_CHUNK):
        similarity = queries[start : start + EXACT_CHUNK] @ units.T
        np.argpartition(similarity, -DEPTH - 1, axis=1)[:, -DEPTH - 1 :]
    return time.perf_counter() - started


def evaluate_seconds(config: Config) -> float:
    snapshot = snapshots.pending_snapshot(root_of(config))
    for path in (snapshot.near_duplicates_path, snapshot.metrics_path):
        snapshot.storage.delete(path)
    started = time.perf_counter()
    take(config, pipeline.neighbours)
    take(config, pipeline.evaluate)
    return time.perf_counter() - started
