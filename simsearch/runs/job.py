"""The main job: `run` and `reindex`.

Ray and PyTorch take many seconds to import, so they are imported only if there is work for them. A nightly
run over an unchanged collection only lists the collection.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from simsearch.catalog import catalog
from simsearch.catalog.readers.registry import get_reader
from simsearch.catalog.stored import load_catalog
from simsearch.encoders.trained import FOLDER
from simsearch.errors import DamagedError, UsageError
from simsearch.extraction.again import worth_another_try
from simsearch.features import store as feature_store
from simsearch.images import perturbations
from simsearch.judgements.verdicts import read_verdicts, snapshot_verdicts
from simsearch.reading.collection import Collection, collection_of
from simsearch.runs.context import Run, StepResult, open_run
from simsearch.runs.record import SUCCESSES, RunRecord
from simsearch.runs.records import (
    RECENT,
    close_dead_records,
    list_records,
    record_run,
)
from simsearch.runtime.cluster_address import check_cluster_address
from simsearch.runtime.installation import describe_own_installation, digest_of
from simsearch.settings.config import Config, kept_settings
from simsearch.settings.sections.extraction import PUBLISHED
from simsearch.settings.version import __version__
from simsearch.snapshots.diff import ArtworkChanges, artwork_changes, artworks_of
from simsearch.snapshots.mending import lacking_files
from simsearch.snapshots.plan import settings_digest
from simsearch.snapshots.published import read_latest
from simsearch.snapshots.root import open_root, recognise, root_exists
from simsearch.snapshots.snapshot import Snapshot, verdicts_digest
from simsearch.storage.storage import root_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The outcome of a run.

    Attributes
    ----------
    snapshot : Snapshot
        The snapshot that is published now.
    previous : Snapshot or None
        The snapshot that was published before. None at a root's first run.
    changes : ArtworkChanges
        The ids of the artworks that differ between the two.
    record : RunRecord
        The run as it is recorded in the root: its steps, seconds and counts.
    """

    snapshot: Snapshot
    previous: Snapshot | None
    changes: ArtworkChanges
    record: RunRecord

    @property
    def collection(self) -> Collection:
        """The published snapshot, opened as `simsearch.open` does."""
        storage = self.snapshot.storage
        return collection_of(Config(root=storage.root, storage=storage.config), self.snapshot)

    def __repr__(self) -> str:
        return (
            f"<Result: {self.record.outcome}, snapshot {self.snapshot.snapshot_id} of "
            f"{self.snapshot.storage.root}, {self.changes}>"
        )


def ingest(run: Run) -> StepResult:
    """Read the collection and store its catalog. Download images if the settings ask for that."""
    get_reader(run.config.catalog)  # misuse is reported before anything is stored
    ingested = catalog.ingest(run.config)
    return StepResult(ingested.table.num_rows, "artworks", f"catalog {ingested.catalog_id}")


def run(config: Config) -> Result:
    """Take all steps. A repeated run resumes where the last one stopped; a run with nothing to do ends
    after listing the collection."""
    return _record_run(config, "run")


def reindex(config: Config) -> Result:
    """`run` for a root of an earlier run. Raises UsageError if there is none."""
    storage = root_of(config)
    if not root_exists(storage):
        raise UsageError(f"{storage.root}: nothing to reindex here; run `simsearch run` first")
    return _record_run(config, "reindex")


def _record_run(config: Config, command: str) -> Result:
    get_reader(config.catalog)
    check_cluster_address(config.ray)
    storage = root_of(config)
    previous, _ = _find_published(config)
    if previous is None or not _was_done_before(previous, config):
        from simsearch.runs.steps import check_names

        check_names(config)
    open_root(storage)
    with record_run(config, command) as record, open_run(config) as run:
        run = replace(run, steps=record.steps)
        close_dead_records(storage, record)
        run.take(ingest)
        previous, lacking = _find_published(config)
        for path in lacking:
            log.warning(
                "%s: lacking of the published snapshot, which is made anew if nothing else changed",
                storage.uri(path),
            )
        if previous is not None and _is_current(previous, config):
            log.info("nothing changed since snapshot %s", previous.snapshot_id)
            snapshot = previous
        else:
            from simsearch.runs.steps import compute

            record.installation = describe_own_installation()
            record.made_by = digest_of(record.installation)
            snapshot = compute(run)
        changes = _note(record, snapshot, previous)
    return Result(snapshot, previous, changes, record)


def _find_published(config: Config) -> tuple[Snapshot | None, list[str]]:
    """The published snapshot, and the paths of the files that it lacks. With one of those it counts as
    none: it is neither compared with nor carried over."""
    storage = root_of(config)
    recognise(storage)
    latest = read_latest(storage)
    if latest is None:
        return None, []
    snapshot = Snapshot(storage, latest.snapshot_id)
    if not snapshot.sealed():
        return None, [snapshot.manifest_path]
    lacking = [snapshot.path(name) for name in lacking_files(snapshot)]
    return (None if lacking else snapshot), lacking


def _is_current(previous: Snapshot, config: Config) -> bool:
    """Whether computing again could only give the published snapshot."""
    catalog_id = load_catalog(previous.storage).catalog_id
    return (
        previous.plan().catalog_id == catalog_id
        and _was_done_before(previous, config)
        and not config.extract.retry_rejects
        and not worth_another_try(previous.rejects(), config.storage)
        and _heard_everybody(previous)
        and _has_all_vectors(previous)
    )


def _heard_everybody(previous: Snapshot) -> bool:
    """Whether nothing was said of its pictures since the snapshot was planned."""
    hashes = previous.images()["content_hash"]
    verdicts = snapshot_verdicts(read_verdicts(previous.storage), hashes)
    return previous.plan().verdicts_sha256 == verdicts_digest(verdicts)


def _has_all_vectors(previous: Snapshot) -> bool:
    """Whether the root still has the vectors of the published snapshot. Missing ones are logged."""
    storage, images = previous.storage, previous.images()
    for space in previous.plan().spaces:
        try:
            missing = feature_store.count_missing(storage, space, images)
        except DamagedError as error:
            log.warning("%s", error)
            return False  # `extract` also reads the damaged shard, and sets it aside
        if missing:
            log.warning(
                "%s: %s vectors of the published snapshot are missing, and are computed again",
                storage.uri(feature_store.folder(space)),
                f"{missing:,}",
            )
            return False
    return True


def _was_done_before(previous: Snapshot, config: Config) -> bool:
    """Whether the last successful run ended with this snapshot, and had the same settings, the same code, and
    weights from the first source."""
    plan = previous.plan()
    definitions = f"definitions {perturbations.DEFINITIONS_VERSION},"
    return (
        _last_success(previous) == settings_digest(kept_settings(config))
        and plan.code_version == __version__
        and all(space.perturbations.startswith(definitions) for space in plan.spaces)
        and all(
            _is_first_choice(
                config.extract.weights_for.get(space.encoder, config.extract.weights),
                space.weights_source,
                space.trained,
            )
            for space in plan.spaces
            if not space.parts  # they are among the spaces
        )
    )


def _last_success(previous: Snapshot) -> str | None:
    """The digest of the last successful run's settings, if that run ended with this snapshot."""
    for record in list_records(previous.storage, RECENT):
        if record.outcome in SUCCESSES:
            same = record.snapshot_id == previous.snapshot_id
            return record.settings_sha256 if same else None
    return None


def _is_first_choice(sources: Sequence[str], used: str, trained: bool) -> bool:
    """Whether the first of the `sources` of weights was `used` and still gives the same weights. Files in a
    folder may have changed, and a source that failed may answer now."""
    if used.startswith(f"{FOLDER}/"):  # learned, so no source has them
        return True
    if sources[0].startswith("random:"):
        return used == sources[0]
    return sources[0] == PUBLISHED and trained and "://" not in used


def _note(record: RunRecord, snapshot: Snapshot, previous: Snapshot | None) -> ArtworkChanges:
    same = previous is not None and previous.snapshot_id == snapshot.snapshot_id
    counts = snapshot.counts()
    record.outcome = "unchanged" if same else "published"
    record.snapshot_id = snapshot.snapshot_id
    record.previous_snapshot_id = None if previous is None else previous.snapshot_id
    record.artworks, record.images = counts.artworks, counts.images
    record.rejects = counts.rejects
    if same:
        changes = ArtworkChanges([], [], [], [], [])
    else:
        before = {} if previous is None else artworks_of(previous)
        changes = artwork_changes(before, artworks_of(snapshot))
    record.changes = {name: len(ids) for name, ids in vars(changes).items()}
    record.recovery = _recovery(snapshot, previous)
    return changes


def _recovery(snapshot: Snapshot, previous: Snapshot | None) -> list[dict[str, Any]]:
    before = {} if previous is None else previous.recall()
    return [
        {"space": space, "k": k, "recall": value, "before": before.get((space, k))}
        for (space, k), value in snapshot.recall().items()
    ]
