"""Compute missing vectors with one pool of actors at a time, or a few vectors in this process."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial

import numpy as np

from simsearch import schemas
from simsearch.extraction.counter import LocalCounter, Pace, RemoteCounter
from simsearch.extraction.in_process import run_in_process
from simsearch.extraction.placement import ActorPool, Device, are_too_few_for_actors, plan_pools
from simsearch.extraction.stages import Todo, pool_stages
from simsearch.runtime.cluster import cluster_nodes
from simsearch.runtime.progress import duration
from simsearch.runtime.watchdog import run_followed
from simsearch.settings.config import Config
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)


def run_pools(
    config: Config, storage: Storage, todo: Todo, device: Device
) -> tuple[tuple[ActorPool, ...], list[Pace]]:
    """Compute the missing vectors. Returns the pools that worked, and their paces."""
    needs = todo.needs
    lacking: list[bool] = np.asarray(needs.flags.any(axis=(0, 1))).tolist()
    pools = plan_pools(
        {
            network.space.encoder: network.weights.size
            for network, lacks in zip(todo.networks, lacking, strict=True)
            if lacks
        },
        cluster_nodes(),
        device=device,
        vectors=needs.count,
        least=config.extract.min_actors,
        most=config.extract.max_actors,
    )
    paces = []
    for number, pool in enumerate(pools, start=1):
        step = "extract" if len(pools) == 1 else f"extract {number} of {len(pools)}"
        own = todo.of(pool.encoders)
        if number > 1:  # the first pool has read the pictures
            own = replace(own, points=None)
        pace = _run_pool(config, storage, own, pool, step)
        if pace is not None:
            paces.append(pace)
    return pools, paces


def _run_pool(
    config: Config, storage: Storage, todo: Todo, pool: ActorPool, step: str
) -> Pace | None:
    """Run the stages of one pool. Returns its pace, None if no vector was computed because all were found
    again or rejected."""
    started = time.monotonic()
    needs = todo.needs
    weight_bytes = sum(network.weights.size for network in todo.networks)
    in_process = (
        pool.device == "cpu"
        and config.ray.cluster is None
        and are_too_few_for_actors(weight_bytes, needs.count)
    )
    log.info("%s: %s", step, _describe(pool, in_process=in_process))
    counter = (
        LocalCounter(needs.flags.size) if in_process else RemoteCounter.start(needs.flags.size)
    )
    stages = pool_stages(config, storage, todo, pool, counter)
    if in_process:
        work = partial(run_in_process, stages)
    else:
        # Imported here, not above: Ray Data takes a second to import. A night of few changes spares it.
        from simsearch.extraction.in_actors import run_in_actors

        work = partial(run_in_actors, stages, pool)
    run_followed(step, needs.count, "vectors", config.ray, work, counter.read)
    write_part(storage, "timings", counter.timings(), schemas.TIMINGS)
    pace = counter.pace()
    if pace is None:
        return None
    # The counter may be on another node, whose clock differs: only durations can be compared.
    startup = time.monotonic() - started - pace.first_ago
    log.info("%s: start-up %s, then %.1f vectors/s", step, duration(startup), pace.rate)
    return Pace(pace.first, pace.all, pace.first_ago, pace.last_ago, startup)


def _describe(pool: ActorPool, *, in_process: bool) -> str:
    names = ", ".join(pool.encoders)
    if in_process:
        return f"{names} in this process: too few vectors for actors, which take longer to start"
    actors = "1 actor" if pool.actors == 1 else f"{pool.actors} actors"
    threads = "1 thread" if pool.threads == 1 else f"{pool.threads} threads"
    more = f", up to {pool.most} as nodes join," if pool.most > pool.actors else ""
    return f"{names} on {pool.device}: {actors}{more} of {threads}, each asks for {pool.actor}"
