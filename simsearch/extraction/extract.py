"""Extraction: compute the vectors of a catalog's images that feature shards lack."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from simsearch import schemas
from simsearch.extraction.counter import Pace, joint_rate
from simsearch.extraction.missing import Missing, StoredVectors
from simsearch.extraction.networks import PreparedNetwork
from simsearch.extraction.pipeline import run_pools
from simsearch.extraction.placement import ActorPool, Device
from simsearch.extraction.points import add_points, with_points_needed
from simsearch.extraction.stages import Todo
from simsearch.features.compaction import compact_parts, compact_shards
from simsearch.features.points import StoredPoints
from simsearch.features.space import FeatureSpace
from simsearch.settings.config import Config
from simsearch.settings.sections.extraction import ExtractConfig
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extraction:
    """The result of an extraction: every image that has a vector in all spaces, and the rejects."""

    images: pa.Table  # schemas.IMAGES, sorted by image_id
    rejects: pa.Table  # schemas.REJECTS, one row per artwork, sorted by artwork_id
    computed: int  # vectors computed in this run
    reused: int  # vectors that were stored already, also under another name of the file
    startup: float  # seconds until the first batch of vectors was finished
    rate: float  # vectors per second from then on
    pools: tuple[ActorPool, ...]  # the pools that computed; none if nothing was missing


def extract(
    config: Config,
    storage: Storage,
    catalog: pa.Table,
    networks: Sequence[PreparedNetwork],
    device: Device,
) -> Extraction:
    """Compute the missing vectors. Raises IncompleteError for rows with neither vectors nor a reject."""
    spaces = [network.space for network in networks]
    before = Missing.read(config, storage, catalog, spaces)
    todo = before.todo(retry_rejects=config.extract.retry_rejects)
    missing = todo.count
    points = StoredPoints.of(config, storage)
    pools: tuple[ActorPool, ...] = ()
    paces: list[Pace] = []
    if missing:
        log.info(
            "extract: %s vectors to compute or to find again by content, %s are there already",
            f"{missing:,}",
            f"{before.stored_count:,}",
        )
        if points is not None:
            todo = with_points_needed(todo, before.artworks, points)
        lacking = Todo(todo, before.orphans(), tuple(networks), points)
        pools, paces = run_pools(config, storage, lacking, device)
    after = Missing.read(config, storage, catalog, spaces) if missing else before
    _compact(config.extract, storage, spaces, after.stored)
    images = after.images()
    if points is not None:
        add_points(config, storage, points, catalog, images)
    computed = sum(
        now.distinct - then.distinct for now, then in zip(after.stored, before.stored, strict=True)
    )
    return Extraction(
        images=images,
        rejects=after.rejects(),
        computed=computed,
        reused=after.stored_count - computed,
        startup=sum(pace.startup for pace in paces),
        rate=joint_rate(paces),
        pools=pools,
    )


def _compact(
    extract: ExtractConfig,
    storage: Storage,
    spaces: Sequence[FeatureSpace],
    stored: Sequence[StoredVectors],
) -> None:
    for space, vectors in zip(spaces, stored, strict=True):
        if merged := compact_shards(storage, space, extract.shard_rows, vectors.untidy):
            log.info("extract: merged %s small shards of %s", merged, space.fingerprint)
    compact_parts(storage, "sources", schemas.SOURCES)
    compact_parts(storage, "rejects", schemas.REJECTS)
    compact_parts(storage, "timings", schemas.TIMINGS)
