"""The steps after `ingest`, in their order: train → extract → index → neighbours → evaluate → project →
report.

Each step is a function of a run. It reads the results of earlier steps from storage and skips finished
work. `Run.take` checks the lease, times the step and records its result. A step imports its modules when it
runs, so that a command for one step does not wait for the imports of all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from simsearch.catalog.stored import load_catalog
from simsearch.errors import NotFoundError, RejectsError
from simsearch.extraction.rejects import check_rejects
from simsearch.images.perturbations import get_profile
from simsearch.indexes.index import read_manifest
from simsearch.runs.context import Run, StepResult
from simsearch.runs.publication import finish, publish
from simsearch.runs.versions import environment
from simsearch.runtime.background import Background
from simsearch.runtime.progress import Advance
from simsearch.runtime.ray_session import ray_session
from simsearch.runtime.remote_count import RemoteCount
from simsearch.runtime.watchdog import Count, run_followed
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import RayConfig
from simsearch.snapshots.layout import SEARCHES
from simsearch.snapshots.mending import begin_mending, lacking_files
from simsearch.snapshots.published import read_latest
from simsearch.snapshots.snapshot import Snapshot, write_plan

log = logging.getLogger(__name__)


def check_names(config: Config) -> None:
    """Refuse unknown profiles and backbones before any work. Raises UnknownNameError."""
    from simsearch.encoders.backbones.learned import encoder_of

    for profile in (*config.perturbations.profiles, *config.train.profiles):
        get_profile(profile)
    for backbone in config.extract.backbones:
        encoder_of(config, backbone)


def train(run: Run) -> StepResult:
    """Learn the encoders and heads that the spaces lack.

    Raises TrainingError if too little is left to learn from, or if a loss is not finite.
    """
    from simsearch.extraction.device import choose_device
    from simsearch.extraction.networks import prepare_networks
    from simsearch.training.fitting import fit_heads
    from simsearch.training.train import learn_encoders

    config, storage = run.config, run.storage
    check_names(config)
    if not _has_learned_space(config):
        return StepResult(0, "trainings", "no space learns")
    table = load_catalog(storage).table
    with ray_session(config.ray, run.lease.shared_files()):
        device = choose_device(config)
        trainings = learn_encoders(config, storage, table, device)
        networks = prepare_networks(config, device, table)
        trainings += fit_heads(config, storage, table, networks, device)
    note = ", ".join(training.name for training in trainings) or "learned already"
    return StepResult(len(trainings), "trainings", note)


def _has_learned_space(config: Config) -> bool:
    return any(
        space.head is not None or space.backbone in config.autoencoders
        for space in config.extract.spaces
    )


def extract(run: Run) -> StepResult:
    """Compute the vectors that the catalog lacks and plan the snapshot.

    Raises RejectsError if more images were rejected than allowed, once everything readable has been stored,
    and TrainingError for a head that is not fitted yet.
    """
    from simsearch.extraction.apply_heads import apply_heads, find_heads
    from simsearch.extraction.device import choose_device
    from simsearch.extraction.extract import extract as extract_features
    from simsearch.extraction.join import join_spaces
    from simsearch.extraction.networks import prepare_networks
    from simsearch.judgements.verdicts import read_verdicts, snapshot_verdicts

    config, storage = run.config, run.storage
    check_names(config)
    catalog = load_catalog(storage)
    with ray_session(config.ray, run.lease.shared_files()):
        device = choose_device(config)
        networks = prepare_networks(config, device, catalog.table)
        heads = find_heads(config, storage, networks)
        extraction = extract_features(config, storage, catalog.table, networks, device)
        images = extraction.images.num_rows
        encoded, applied = apply_heads(config, storage, networks, heads, images)
        spaces, joined = join_spaces(config, storage, encoded, images)
    verdicts = snapshot_verdicts(read_verdicts(storage), extraction.images["content_hash"])
    snapshot = write_plan(
        storage,
        config,
        catalog.catalog_id,
        spaces,
        {
            space.name: network.precision_reason
            for space in spaces
            for network in networks
            if network.space.encoder == space.encoder
        },
        extraction.images,
        extraction.rejects,
        catalog.table.num_rows,
        verdicts,
    )
    if snapshot.sealed():
        for name in begin_mending(snapshot, extraction.images, extraction.rejects, verdicts):
            log.warning("%s: lacking, and made anew", storage.uri(snapshot.path(name)))
    check_rejects(config.extract, extraction.rejects, catalog.table.num_rows)
    if not extraction.images.num_rows:
        raise RejectsError(f"{storage.root}: no artwork has an image; check catalog.source")
    note = f"{extraction.reused:,} more were there already; snapshot {snapshot.snapshot_id}"
    return StepResult(extraction.computed + applied + joined, "vectors", note)


def index(run: Run) -> StepResult:
    """Build the Annoy index of every space, in parallel across spaces."""
    from simsearch.neighbours.building import build_indexes

    snapshot, config = run.snapshot, run.config
    plan = snapshot.plan()
    missing = [
        space
        for space in plan.spaces
        if not snapshot.storage.exists(snapshot.index_manifest_path(space.name))
    ]
    if missing:
        with ray_session(config.ray, run.lease.shared_files()):
            work = partial(build_indexes, snapshot, missing, config.seed)
            _run_watched(config.ray, "index", len(missing), "indexes", work)
    present = len(plan.spaces) - len(missing)
    note = f"{present} of {len(plan.spaces)} indexes were there already" if present else ""
    return StepResult(plan.images * len(missing), "vectors", note)


def neighbours(run: Run) -> StepResult:
    """Find neighbours in every space, by Annoy and by exact search, and near-duplicates."""
    from simsearch.neighbours.find import find_neighbours
    from simsearch.neighbours.near_duplicates import find_near_duplicates

    snapshot, config = run.snapshot, run.config
    if snapshot.storage.exists(snapshot.near_duplicates_path):
        return StepResult(0, "queries", "searched already")
    for space in snapshot.plan().spaces:
        read_manifest(snapshot.storage, snapshot.index_folder(space.name))
    total = _queries(snapshot)
    with ray_session(config.ray, run.lease.shared_files()):
        previous = _previous(run) if config.evaluate.incremental else None
        work = partial(find_neighbours, snapshot, previous)
        _run_watched(config.ray, "neighbours", total, "queries", work)
        listed = find_near_duplicates(snapshot, config.ray)
    return StepResult(total, "queries", f"{listed:,} pairs of near-duplicates")


def evaluate(run: Run) -> StepResult:
    """Measure how many of each original's copies are recovered, by Annoy and by exact search."""
    from simsearch.evaluation.evaluate import evaluate as evaluate_snapshot
    from simsearch.evaluation.evaluate import store_unscored
    from simsearch.neighbours.stored_lists import forget_lists

    snapshot, config = run.snapshot, run.config
    profiles = snapshot.images()["profile"]
    total, note = 0, ""
    if snapshot.storage.exists(snapshot.metrics_path):
        note = "already evaluated"
    elif not snapshot.storage.exists(snapshot.near_duplicates_path):
        raise NotFoundError(
            f"{snapshot.storage.uri(snapshot.folder)}: no neighbours to score; run `simsearch neighbours` first"
        )
    elif profiles.null_count == len(profiles):
        note = "nothing to measure: no artwork has copies"
        store_unscored(snapshot)
    else:
        total = _queries(snapshot)
        with ray_session(config.ray, run.lease.shared_files()):
            work = partial(evaluate_snapshot, snapshot)
            _run_watched(config.ray, "evaluate", total, "queries", work)
    # Removed here, not where the lists are read: a run may be killed after storing the metrics.
    forget_lists(snapshot)
    return StepResult(total, "queries", note)


def _queries(snapshot: Snapshot) -> int:
    """The number of searches for originals' neighbours: one per original, space and kind of search."""
    originals = snapshot.images()["profile"].null_count
    return int(originals * len(snapshot.plan().spaces) * len(SEARCHES))


def project(run: Run) -> StepResult:
    """Lay out every feature space in two dimensions, one task per space and method."""
    from simsearch.maps.projection import lay_out
    from simsearch.maps.umap_map import epochs

    snapshot, config = run.snapshot, run.config
    spaces = [space.name for space in snapshot.plan().spaces]
    methods = config.projection.methods
    paths = [snapshot.projection_path(space, method) for method in methods for space in spaces]
    if snapshot.finished() or all(snapshot.storage.exists(path) for path in paths):
        return StepResult(0, "maps", "made already")
    with ray_session(config.ray, run.lease.shared_files()):
        previous = _previous(run)
        originals = snapshot.images()["profile"].null_count
        total = len(spaces) * sum(epochs(method, originals) for method in methods)
        # A process for the count is worth its start only for maps that report progress.
        count = RemoteCount.start() if "umap" in methods else Count()
        work = partial(lay_out, config, snapshot, spaces, previous, count)
        run_followed("project", total, "epochs", config.ray, work, count.read)
    return StepResult(len(paths), "maps")


def _previous(run: Run) -> Snapshot | None:
    """The published snapshot, where the one being made is another and all files of it are there."""
    latest = read_latest(run.storage)
    if latest is None or latest.snapshot_id == run.snapshot.snapshot_id:
        return None
    previous = Snapshot(run.storage, latest.snapshot_id)
    return previous if previous.sealed() and not lacking_files(previous) else None


def report(run: Run) -> StepResult:
    """Write the report of the planned snapshot."""
    from simsearch.reading.runs import steps_of
    from simsearch.reading.view import SnapshotView
    from simsearch.reports.report import write_report

    snapshot = run.snapshot
    if not snapshot.sealed():
        view = SnapshotView(run.config, snapshot)
        write_report(view, snapshot.counts(), run.steps, environment())
    elif not (snapshot.finished() or snapshot.storage.exists(snapshot.report_path)):
        view = SnapshotView(run.config, snapshot)
        write_report(view, snapshot.counts(), steps_of(view), view.manifest["environment"])
    return StepResult(1, "reports")


STEPS: tuple[Callable[[Run], StepResult], ...] = (
    train,
    extract,
    index,
    neighbours,
    evaluate,
    project,
    report,
)
"""The steps from a catalog to a snapshot, in their order."""


def compute(
    run: Run, steps: tuple[Callable[[Run], StepResult], ...] = STEPS, *, publishing: bool = True
) -> Snapshot:
    """Take all `steps` in one Ray session and seal the snapshot. Returns the snapshot that is then
    published, or the sealed one if `publishing` is false."""
    # Checking names takes seconds to import PyTorch and torchvision, while Ray's start takes seconds of
    # waiting. An unknown encoder name is reported by `extract`.
    Background(partial(check_names, run.config)).start()
    with ray_session(run.config.ray, run.lease.shared_files()):
        for step in steps:
            if step is train and not _has_learned_space(run.config):
                continue
            if step not in (train, extract) and run.snapshot.finished():
                log.info("snapshot %s holds all of this already", run.snapshot.snapshot_id)
                break
            run.take(step)
    finish(run)
    return publish(run) if publishing else run.snapshot


def _run_watched(
    config: RayConfig, step: str, total: int, unit: str, work: Callable[[Advance], object]
) -> None:
    """Run `work` under a watchdog, and show the progress that it reports."""
    count = Count()
    run_followed(step, total, unit, config, lambda: work(count.tell), count.read)
