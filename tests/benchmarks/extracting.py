"""Our side of the extraction measurements: the whole pipeline, as `simsearch extract` runs it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from simsearch import schemas
from simsearch.catalog import catalog
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.registry import get_encoder
from simsearch.extraction.device import choose_device
from simsearch.extraction.extract import extract
from simsearch.extraction.networks import prepare_networks
from simsearch.extraction.placement import ActorPool
from simsearch.extraction.stages import batch_size_of
from simsearch.runtime.ray_session import ray_session
from simsearch.settings.config import Config, load_config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.root import open_root
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import root_of


@dataclass(frozen=True)
class Extracted:
    """One whole run. `rate` is of vectors over all networks, once the first batch was out."""

    startup: float  # seconds to that first batch: Ray, weights, precision, actors
    rate: float
    vectors: int
    seconds: float
    network_rates: dict[str, float]  # images per second inside each network, over its actors
    precisions: dict[str, str]
    reasons: dict[str, str]
    pools: tuple[ActorPool, ...]
    batch_size: int


def settings(pictures: Path, root: Path, networks: Sequence[str], *words: str) -> Config:
    given = [
        f"root={root}",
        "catalog.reader=folder",
        f"catalog.source={pictures}",
        f"extract.backbones=[{','.join(networks)}]",
        "extract.weights=['random:0']",
        "projection.methods=[pca]",
    ]
    return load_config(None, [*given, *words])


def plain_network(name: str) -> torch.nn.Module:
    """The network to its features with our weights, as a user of plain PyTorch loads it."""
    specification = get_encoder(name, StorageConfig())
    assert isinstance(specification, NetworkSpecification)
    whole = whole_network(specification)
    return specification.features(whole)


def whole_network(specification: NetworkSpecification) -> torch.nn.Module:
    whole = specification.sources.build()
    whole.load_state_dict(specification.weights(["random:0"], StorageConfig()).content)
    return whole


def extracted(config: Config) -> Extracted:
    """Extract into the config's root, which is emptied first. Call it in a process of its own."""
    shutil.rmtree(config.root, ignore_errors=True)
    storage = root_of(config)
    open_root(storage)
    ingested = catalog.ingest(config)
    catalog_id, table = ingested.catalog_id, ingested.table
    started = time.monotonic()
    with ray_session(config.ray):
        device = choose_device(config)
        networks = prepare_networks(config, device, table)
        before = time.monotonic() - started
        done = extract(config, storage, table, networks, device)
        seconds = time.monotonic() - started
    spaces = tuple(network.space for network in networks)
    reasons = {network.space.name: network.precision_reason for network in networks}
    snapshots.write_plan(
        storage, config, catalog_id, spaces, reasons, done.images, done.rejects, table.num_rows
    )
    timings = read_parts(storage, "timings", schemas.TIMINGS).to_pylist()
    spent = {row["fingerprint"]: row["images"] / row["seconds"] for row in timings}
    actors = {name: pool.actors for pool in done.pools for name in pool.encoders}
    return Extracted(
        startup=before + done.startup,
        rate=done.rate,
        vectors=done.computed,
        seconds=seconds,
        network_rates={
            space.name: actors[space.name] * spent[space.fingerprint] for space in spaces
        },
        precisions={space.name: space.precision for space in spaces},
        reasons=reasons,
        pools=done.pools,
        batch_size=batch_size_of(config.extract, device),
    )
