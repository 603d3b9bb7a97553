"""The main job, step by step: ingest → extract → index → evaluate → project → report → publish.

Each step is one function that the command line and `jobs/` call alike; it finds what the steps
before it left in storage, and leaves alone what is already finished.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch import catalog, feature_store, snapshots
from simsearch.backbones import get_backbone
from simsearch.config import Config
from simsearch.errors import RejectsError
from simsearch.evaluation.evaluate import SEARCHES, metrics_path
from simsearch.evaluation.evaluate import evaluate as evaluate_snapshot
from simsearch.feature_space import FeatureSpace
from simsearch.features import extract as extract_features
from simsearch.index import IndexManifest, read_manifest, write_index
from simsearch.networks import device_of, prepare_networks
from simsearch.perturbations import get_profile
from simsearch.progress import duration, progress
from simsearch.projection import Coordinates, align, projection_path, projection_table
from simsearch.projection import project as compute_projection
from simsearch.ray_session import ray_session
from simsearch.report import write_report
from simsearch.snapshots import Snapshot
from simsearch.storage import Storage

log = logging.getLogger(__name__)

PACKAGES = ("torch", "torchvision", "ray", "annoy", "pyarrow", "pillow", "numpy")
REDUCER_CPUS = 0.5


@dataclass(frozen=True)
class Step:
    """What a step did: `items` of `unit` in `seconds`, with a `note` for readers."""

    name: str
    seconds: float
    items: int
    unit: str
    note: str = ""


def root_of(config: Config) -> Storage:
    return Storage(config.root, config.storage)


def check(config: Config) -> None:
    """Refuse what can be refused before any work: unknown names, a root that is not ours."""
    for profile in config.perturbations.profiles:
        get_profile(profile)
    for backbone in config.extract.backbones:
        get_backbone(backbone)
    snapshots.open_root(root_of(config))


def ingest(config: Config) -> Step:
    """Read the collection and store its catalog, downloading images where asked to."""
    check(config)
    started = time.monotonic()
    catalog_id, table = catalog.ingest(config)
    return _log(
        Step("ingest", _since(started), table.num_rows, "artworks", f"catalog {catalog_id}")
    )


def extract(config: Config) -> Step:
    """Compute the vectors that the catalog lacks and plan the snapshot.

    Raises RejectsError when more images were rejected than allowed, after everything readable has
    been stored.
    """
    check(config)
    started = time.monotonic()
    storage = root_of(config)
    catalog_id, table = catalog.load_catalog(storage)
    with ray_session(config.ray):
        networks = prepare_networks(config, device_of(ray.cluster_resources().get("GPU", 0)))
        extraction = extract_features(config, storage, table, networks)
    snapshot = snapshots.write_plan(
        storage,
        config,
        catalog_id,
        tuple(each.space for each in networks),
        {each.space.backbone: each.precision_reason for each in networks},
        extraction.images,
        extraction.rejects,
        table.num_rows,
    )
    note = f"{extraction.reused:,} more were there already; snapshot {snapshot.snapshot_id}"
    step = _log(Step("extract", _since(started), extraction.computed, "vectors", note))
    _check_rejects(config, extraction.rejects, table.num_rows)
    if not extraction.images.num_rows:
        raise RejectsError(f"{storage.root}: no artwork has an image; check catalog.source")
    return step


def index(config: Config) -> Step:
    """Build the Annoy index of every backbone, in parallel across backbones."""
    started = time.monotonic()
    snapshot = snapshots.pending_snapshot(root_of(config))
    plan = snapshot.plan()
    missing = [space for space in plan.spaces if not _indexed(snapshot, space)]
    if missing:
        with ray_session(config.ray):
            pending = [_build_index.remote(snapshot, space, config.seed) for space in missing]
            with progress("index", len(missing), "indexes", config.ray.log_seconds) as advance:
                while pending:
                    (ready,), pending = ray.wait(pending, num_returns=1)
                    manifest: IndexManifest = ray.get(ready)
                    advance(len(missing) - len(pending))
                    log.info(
                        "index: %s: recall@%d %.4f at search_k %d",
                        manifest.fingerprint,
                        manifest.neighbours + 1,
                        manifest.recall,
                        manifest.search_k,
                    )
    items = plan.images * len(missing)
    return _log(Step("index", _since(started), items, "vectors", _reused(plan.spaces, missing)))


def evaluate(config: Config) -> Step:
    """Measure how many of each original's copies are recovered, by Annoy and by exact search."""
    started = time.monotonic()
    snapshot = snapshots.pending_snapshot(root_of(config))
    if snapshot.storage.exists(metrics_path(snapshot)):
        return _log(Step("evaluate", _since(started), 0, "queries", "already evaluated"))
    plan = snapshot.plan()
    for space in plan.spaces:
        read_manifest(snapshot.storage, snapshot.index_folder(space.backbone))
    originals = snapshot.images()["profile"].null_count
    total = originals * len(plan.spaces) * len(SEARCHES)
    with (
        ray_session(config.ray),
        progress("evaluate", total, "queries", config.ray.log_seconds) as advance,
    ):
        evaluate_snapshot(config, snapshot, advance)
    return _log(Step("evaluate", _since(started), total, "queries"))


def project(config: Config) -> Step:
    """Lay out every feature space in two dimensions, one task per backbone and method."""
    started = time.monotonic()
    snapshot = snapshots.pending_snapshot(root_of(config))
    backbones = [space.backbone for space in snapshot.plan().spaces]
    methods = config.projection.methods
    paths = [projection_path(snapshot, one, method) for method in methods for one in backbones]
    if snapshot.published() or all(snapshot.storage.exists(path) for path in paths):
        return _log(
            Step(
                "project", _since(started), 0, "maps", "made already, or the snapshot is published"
            )
        )
    with (
        ray_session(config.ray),
        progress("project", len(paths), "maps", config.ray.log_seconds) as advance,
    ):
        originals = snapshot.images().filter(pc.field("profile").is_null())
        for number, method in enumerate(methods):
            pending = [_project.remote(config, snapshot, one, method) for one in backbones]
            maps = [ray.get(each) for each in pending]
            for backbone, points in zip(backbones, maps, strict=True):
                snapshot.storage.write_table(
                    projection_path(snapshot, backbone, method),
                    projection_table(originals, align(points, maps[0])),
                )
            advance((number + 1) * len(backbones))
    return _log(Step("project", _since(started), len(paths), "maps"))


def report(config: Config, steps: Sequence[Step] = ()) -> Step:
    """Write the report of the planned snapshot and publish it."""
    started = time.monotonic()
    snapshot = snapshots.pending_snapshot(root_of(config))
    write_report(config, snapshot, [asdict(step) for step in steps], environment())
    step = _log(Step("report", _since(started), 1, "reports"))
    snapshots.publish(snapshot, [asdict(each) for each in (*steps, step)], environment())
    log.info("published snapshot %s under %s", snapshot.snapshot_id, snapshot.storage.root)
    return step


def run(config: Config) -> Snapshot:
    """All steps, in one Ray session. A repeated run resumes; an unchanged one ends quickly."""
    check(config)
    with ray_session(config.ray):
        steps = [step(config) for step in (ingest, extract)]
        snapshot = snapshots.pending_snapshot(root_of(config))
        if snapshot.published():
            log.info("snapshot %s holds all of this already", snapshot.snapshot_id)
            snapshots.publish(snapshot, [], {})
            return snapshot
        steps += [step(config) for step in (index, evaluate, project)]
        report(config, steps)
    return snapshot


def environment() -> dict[str, str]:
    """The machine and the versions that a figure depends on."""
    return {
        "simsearch": version("simsearch"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()}",
        **{name: version(name) for name in PACKAGES},
    }


@ray.remote(num_cpus=REDUCER_CPUS)
def _build_index(snapshot: Snapshot, space: FeatureSpace, seed: int) -> IndexManifest:
    plan = snapshot.plan()
    images = snapshot.images()
    return write_index(
        snapshot.storage,
        snapshot.index_folder(space.backbone),
        images,
        feature_store.read_vectors(snapshot.storage, space, images),
        space,
        trees=plan.index["trees"],
        seed=seed,
        neighbours=plan.evaluate["neighbours"],
        target_recall=plan.index["target_recall"],
    )


@ray.remote(num_cpus=REDUCER_CPUS)
def _project(config: Config, snapshot: Snapshot, backbone: str, method: str) -> Coordinates:
    originals = snapshot.images().filter(pc.field("profile").is_null())
    vectors = feature_store.read_vectors(
        snapshot.storage, snapshot.plan().space(backbone), originals
    )
    return compute_projection(vectors, method, settings=config.projection, seed=config.seed)


def _indexed(snapshot: Snapshot, space: FeatureSpace) -> bool:
    return snapshot.storage.exists(f"{snapshot.index_folder(space.backbone)}/manifest.json")


def _reused(all_spaces: tuple[FeatureSpace, ...], built: list[FeatureSpace]) -> str:
    there = len(all_spaces) - len(built)
    return f"{there} of {len(all_spaces)} indexes were there already" if there else ""


def _check_rejects(config: Config, rejects: pa.Table, artworks: int) -> None:
    allowed = config.extract.max_reject_share
    if rejects.num_rows > allowed * artworks:
        reasons: dict[str, int] = {}
        for reason in rejects["reason"].to_pylist():
            reasons[reason] = reasons.get(reason, 0) + 1
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        raise RejectsError(
            f"{rejects.num_rows} of {artworks} artworks rejected ({listed}), more than "
            f"extract.max_reject_share {allowed}; everything readable is stored: mend the images or raise the share, "
            "then run the same command again"
        )


def _log(step: Step) -> Step:
    rate = (
        f", {step.items / step.seconds:,.1f} {step.unit}/s" if step.items and step.seconds else ""
    )
    note = f" ({step.note})" if step.note else ""
    log.info(
        "%s: %s %s in %s%s%s",
        step.name,
        f"{step.items:,}",
        step.unit,
        duration(step.seconds),
        rate,
        note,
    )
    return step


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
