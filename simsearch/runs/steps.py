"""The steps after `ingest`: extract → index → evaluate → project → report → publish.

Each step is one function that the command line and `simsearch.runs.job` call alike; it finds what the
steps before it left in storage, leaves alone what is already finished, and holds the root's lease.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch.catalog import catalog
from simsearch.config import Config
from simsearch.encoders.registry import get_encoder
from simsearch.errors import RejectsError
from simsearch.evaluation.evaluate import evaluate as evaluate_snapshot
from simsearch.extraction.device import choose_device
from simsearch.extraction.extract import extract as extract_features
from simsearch.extraction.networks import prepare_networks
from simsearch.extraction.rejects import counted, reject_lines
from simsearch.features.space import FeatureSpace
from simsearch.images.perturbations import get_profile
from simsearch.indexes.build import build_index
from simsearch.indexes.index import IndexManifest, read_manifest
from simsearch.projection import align, project_space, projection_table
from simsearch.reports.report import write_report
from simsearch.runs.lease import held
from simsearch.runs.records import Step, log_step, since
from simsearch.runtime.progress import Advance, progress
from simsearch.runtime.ray_session import ray_session
from simsearch.runtime.watchdog import Count, watched
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.guard import check_publishable
from simsearch.snapshots.layout import SEARCHES
from simsearch.snapshots.published import point_latest, read_latest
from simsearch.snapshots.root import open_root
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import root_of

log = logging.getLogger(__name__)

PACKAGES = ("torch", "torchvision", "ray", "annoy", "pyarrow", "pillow", "numpy")


def check_names(config: Config) -> None:
    """Refuse unknown profiles and backbones before any work. Raises UnknownNameError."""
    for profile in config.perturbations.profiles:
        get_profile(profile)
    for backbone in config.extract.backbones:
        get_encoder(backbone, config.storage)


def extract(config: Config) -> Step:
    """Compute the vectors that the catalog lacks and plan the snapshot.

    Raises RejectsError when more images were rejected than allowed, after everything readable has
    been stored.
    """
    check_names(config)
    started = time.monotonic()
    storage = root_of(config)
    open_root(storage)
    catalog_id, table = catalog.load_catalog(storage)
    with held(storage, config.lease) as lease, ray_session(config.ray):
        lease.check()
        device = choose_device(config)
        networks = prepare_networks(config, device)
        extraction = extract_features(config, storage, table, networks, device)
        snapshot = snapshots.write_plan(
            storage,
            config,
            catalog_id,
            tuple(each.space for each in networks),
            {each.space.name: each.precision_reason for each in networks},
            extraction.images,
            extraction.rejects,
            table.num_rows,
        )
    note = f"{extraction.reused:,} more were there already; snapshot {snapshot.snapshot_id}"
    step = log_step(Step("extract", since(started), extraction.computed, "vectors", note))
    _check_rejects(config, extraction.rejects, table.num_rows)
    if not extraction.images.num_rows:
        raise RejectsError(f"{storage.root}: no artwork has an image; check catalog.source")
    return step


def index(config: Config) -> Step:
    """Build the Annoy index of every space, in parallel across spaces."""
    started = time.monotonic()
    snapshot = snapshots.pending_snapshot(root_of(config))
    plan = snapshot.plan()
    missing = [space for space in plan.spaces if not _indexed(snapshot, space)]
    if missing:
        with held(snapshot.storage, config.lease) as lease, ray_session(config.ray):
            lease.check()
            _watched(
                config, "index", len(missing), "indexes", partial(_build, config, snapshot, missing)
            )
    items = plan.images * len(missing)
    return log_step(Step("index", since(started), items, "vectors", _reused(plan.spaces, missing)))


def evaluate(config: Config) -> Step:
    """Measure how many of each original's copies are recovered, by Annoy and by exact search."""
    started = time.monotonic()
    snapshot = snapshots.pending_snapshot(root_of(config))
    if snapshot.storage.exists(snapshot.metrics_path):
        return log_step(Step("evaluate", since(started), 0, "queries", "already evaluated"))
    plan = snapshot.plan()
    for space in plan.spaces:
        read_manifest(snapshot.storage, snapshot.index_folder(space.name))
    originals = snapshot.images()["profile"].null_count
    total = originals * len(plan.spaces) * len(SEARCHES)
    with held(snapshot.storage, config.lease) as lease, ray_session(config.ray):
        lease.check()
        _watched(config, "evaluate", total, "queries", partial(evaluate_snapshot, config, snapshot))
    return log_step(Step("evaluate", since(started), total, "queries"))


def project(config: Config) -> Step:
    """Lay out every feature space in two dimensions, one task per space and method."""
    started = time.monotonic()
    snapshot = snapshots.pending_snapshot(root_of(config))
    spaces = [space.name for space in snapshot.plan().spaces]
    methods = config.projection.methods
    paths = [snapshot.projection_path(one, method) for method in methods for one in spaces]
    if snapshot.sealed() or all(snapshot.storage.exists(path) for path in paths):
        return log_step(Step("project", since(started), 0, "maps", "made already"))
    with held(snapshot.storage, config.lease) as lease, ray_session(config.ray):
        lease.check()
        _watched(config, "project", len(paths), "maps", partial(_lay_out, config, snapshot, spaces))
    return log_step(Step("project", since(started), len(paths), "maps"))


def report(config: Config, steps: Sequence[Step] = ()) -> Step:
    """Write the report of the planned snapshot and seal it."""
    started = time.monotonic()
    snapshot = snapshots.pending_snapshot(root_of(config))
    with held(snapshot.storage, config.lease) as lease:
        lease.check()
        if not snapshot.sealed():
            write_report(config, snapshot, [asdict(step) for step in steps], environment())
        step = log_step(Step("report", since(started), 1, "reports"))
        snapshots.seal(snapshot, [asdict(each) for each in (*steps, step)], environment())
    return step


def publish(config: Config) -> Snapshot:
    """Point LATEST at the planned snapshot, unless that would be a step back; returns what is
    published then.

    Raises GuardError when it is so much worse than the published one that somebody should look.
    """
    snapshot = snapshots.pending_snapshot(root_of(config))
    storage = snapshot.storage
    with held(storage, config.lease) as lease:
        lease.check()
        latest, _ = read_latest(storage)
        withdrawn = () if latest is None else latest.withdrawn
        if latest is not None and not config.publish.force:
            if snapshot.snapshot_id in withdrawn:
                log.warning(
                    "snapshot %s was rolled back and is not published again; publish.force=true does",
                    snapshot.snapshot_id,
                )
                return Snapshot(storage, latest.snapshot_id)
            if latest.snapshot_id != snapshot.snapshot_id:
                check_publishable(Snapshot(storage, latest.snapshot_id), snapshot, config.publish)
        others = tuple(one for one in withdrawn if one != snapshot.snapshot_id)
        point_latest(snapshot, lease.token, others)
    log.info("published snapshot %s under %s", snapshot.snapshot_id, storage.root)
    return snapshot


def compute(config: Config, steps: list[Step]) -> Snapshot:
    """All steps after `ingest`, in one Ray session, added to `steps`; returns what is published."""
    with ray_session(config.ray):
        steps.append(extract(config))
        snapshot = snapshots.pending_snapshot(root_of(config))
        if snapshot.sealed():
            log.info("snapshot %s holds all of this already", snapshot.snapshot_id)
        else:
            steps += [step(config) for step in (index, evaluate, project)]
            steps.append(report(config, steps))
    return publish(config)


def _watched(
    config: Config, step: str, total: int, unit: str, work: Callable[[Advance], object]
) -> None:
    """Run `work`, which tells how far it is, with progress shown and no silent wait."""
    count = Count()
    with progress(step, total, unit, config.ray.log_seconds) as advance:
        watched(step, config.ray, lambda: work(count.tell), count.read, advance)


def _build(
    config: Config, snapshot: Snapshot, spaces: Sequence[FeatureSpace], tell: Advance
) -> None:
    pending = [build_index.remote(snapshot, space, config.seed) for space in spaces]
    while pending:
        (ready,), pending = ray.wait(pending, num_returns=1)
        manifest: IndexManifest = ray.get(ready)
        tell(len(spaces) - len(pending))
        log.info(
            "index: %s: recall@%d %.4f at search_k %d, %s",
            manifest.fingerprint,
            manifest.neighbours + 1,
            manifest.recall,
            manifest.search_k,
            f"of {manifest.components or manifest.dimension} numbers a vector",
        )


def _lay_out(config: Config, snapshot: Snapshot, spaces: Sequence[str], tell: Advance) -> None:
    originals = snapshot.images().filter(pc.field("profile").is_null())
    for number, method in enumerate(config.projection.methods):
        pending = [project_space.remote(config, snapshot, space, method) for space in spaces]
        maps = [ray.get(reference) for reference in pending]
        for space, points in zip(spaces, maps, strict=True):
            snapshot.storage.write_table(
                snapshot.projection_path(space, method),
                projection_table(originals, align(points, maps[0])),
            )
        tell((number + 1) * len(spaces))


def environment() -> dict[str, str]:
    """The machine and the versions that a figure depends on."""
    return {
        "simsearch": version("simsearch"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()}",
        **{name: version(name) for name in PACKAGES},
    }


def _indexed(snapshot: Snapshot, space: FeatureSpace) -> bool:
    return snapshot.storage.exists(f"{snapshot.index_folder(space.name)}/manifest.json")


def _reused(all_spaces: tuple[FeatureSpace, ...], built: list[FeatureSpace]) -> str:
    there = len(all_spaces) - len(built)
    return f"{there} of {len(all_spaces)} indexes were there already" if there else ""


def _check_rejects(config: Config, rejects: pa.Table, artworks: int) -> None:
    lines = reject_lines(rejects)
    for line in lines:
        log.warning("extract: rejected %s", line)
    allowed = config.extract.max_reject_share
    if (damaged := counted(rejects)) > allowed * artworks:
        raise RejectsError(
            f"{damaged:,} of {artworks:,} artworks rejected: {'; '.join(lines)}; more than "
            f"extract.max_reject_share {allowed}; everything readable is stored: mend the images or raise the share, "
            "then run the same command again"
        )
