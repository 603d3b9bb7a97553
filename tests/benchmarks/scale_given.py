"""`given`: the scale measurement with every vector in the store: all steps but the forward passes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.stored import load_catalog
from simsearch.extraction.networks import prepare_networks
from simsearch.features import store as feature_store
from simsearch.images.identity import content_hash
from simsearch.images.suites import STUDY_PROFILES
from simsearch.runs import job
from simsearch.runs.context import take
from simsearch.runtime.ray_session import ray_session
from simsearch.schemas import image_id
from simsearch.settings.config import Config
from simsearch.storage.parts import write_part
from simsearch.storage.storage import read_uri, root_of
from tests.benchmarks.measuring import Asked, Result, alone
from tests.benchmarks.pictures import given_vectors
from tests.benchmarks.scale import Run, at_two_sizes, compared, plot, settings, timed_run, timings

PLOT = Path(__file__).with_name("memory-given.svg")


def measure(asked: Asked, scratch: Path) -> Result:
    runs = at_two_sizes(given_run, asked, scratch)
    plot(runs, PLOT)
    return Result(
        {
            "collection": f"generated, {1 + len(STUDY_PROFILES)} variants of each, their vectors given"
        },
        compared(*runs),
        [
            "One run of each size; each step's own start is in its time; extract finds that nothing is missing.",
            "![Memory](memory-given.svg)",
        ],
        {"runs": timings(runs)},
    )


def given_run(root: Path, artworks: int) -> Run:
    config = settings(root, artworks)
    take(config, job.ingest, new=True)
    alone(give_features, config)
    return timed_run(config)


def give_features(config: Config) -> None:
    """Store a vector for every image that an extraction of the ingested collection would make."""
    storage = root_of(config)
    table = load_catalog(storage).table
    with ray_session(config.ray):
        (network,) = prepare_networks(config, "cpu", table)
    sources = [
        {
            **row,
            "content_hash": content_hash(
                read_uri(row["image_uri"], config.storage, config.images.max_bytes)
            ),
        }
        for row in table.select(["artwork_id", "image_uri", "etag"]).to_pylist()
    ]
    write_part(storage, "sources", sources, schemas.SOURCES)
    rows = [
        {**row, "image_id": image_id(row["artwork_id"], profile), "profile": profile}
        for row in sources
        for profile in (None, *STUDY_PROFILES)
    ]
    images = pa.Table.from_pylist(rows, schema=schemas.IMAGES)
    vectors = given_vectors(images, network.space.dimension)
    size = config.extract.shard_rows
    for start in range(0, len(rows), size):
        shard = images.slice(start, size)
        feature_store.write_shard(storage, network.space, shard, vectors[start : start + size])
