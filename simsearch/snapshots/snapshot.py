"""Snapshots: the results of a run, under an id that follows from the run's inputs.

    snapshots/<id>/plan.json       written by `extract`: catalog, feature spaces, images
    snapshots/<id>/images/         which images, in the order of every index
    snapshots/<id>/manifest.json   written last, by `seal`: the digests of all files and inputs
    LATEST                         the published snapshot's id, swapped by `point_latest`
    PENDING                        the id that `extract` planned last, for steps that run one at a time

A snapshot without a manifest is unfinished and no reader opens it. A sealed one never changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.errors import DamagedError, NotFoundError, StorageError
from simsearch.features.space import FeatureSpace
from simsearch.settings.config import Config
from simsearch.settings.version import __version__
from simsearch.snapshots.layout import SnapshotLayout
from simsearch.snapshots.plan import Plan, settings_digest
from simsearch.snapshots.root import recognise
from simsearch.storage.inside import make_relative, resolve
from simsearch.storage.storage import Storage

LINES_AT_ONCE = 100_000
REMADE = "remade"
"""Names in a manifest the files that a run is making anew (`simsearch.snapshots.mending`)."""


@dataclass(frozen=True)
class Counts:
    """The counts in a snapshot's plan, less the artworks that were taken down since."""

    artworks: int
    images: int
    rejects: int


def counts_of(plan: Plan, taken_down: Mapping[str, int]) -> Counts:
    """The counts of a snapshot. `taken_down` has the number of images of each artwork that was taken down;
    a reject has 0."""
    images = taken_down.values()
    return Counts(
        artworks=plan.artworks - len(images),
        images=plan.images - sum(images),
        rejects=plan.rejects - sum(count == 0 for count in images),
    )


@dataclass(frozen=True, init=False)
class Snapshot(SnapshotLayout):
    """One snapshot in its storage. Its paths are relative to the storage root."""

    storage: Storage

    def __init__(self, storage: Storage, snapshot_id: str) -> None:
        super().__init__(snapshot_id)
        object.__setattr__(self, "storage", storage)

    def plan(self) -> Plan:
        try:
            return Plan.from_json(self.storage.read_json(self.plan_path))
        except (TypeError, KeyError, ValueError) as error:
            raise StorageError(
                f"{self.storage.uri(self.plan_path)}: not this version's plan ({error}); run `simsearch extract` again"
            ) from None

    def images(self) -> pa.Table:
        return self.storage.read_table(self.images_path)

    def rejects(self) -> pa.Table:
        return resolve(self.storage.root, self.storage.read_table(self.rejects_path))

    def manifest(self) -> dict[str, Any]:
        """The manifest of a sealed snapshot. Raises NotFoundError if the snapshot is not sealed,
        StorageError if the manifest is damaged."""
        manifest: dict[str, Any] = self.storage.read_json(self.manifest_path)
        if not isinstance(manifest, dict) or not manifest.keys() >= {"created", "files", "inputs"}:
            raise DamagedError(self.storage.root, self.manifest_path, "not a snapshot's manifest")
        return manifest

    def created(self) -> str:
        """The time at which the snapshot was sealed, ISO 8601 in UTC."""
        return str(self.manifest()["created"])

    def counts(self) -> Counts:
        taken_down = self.manifest().get("forgotten", {}) if self.sealed() else {}
        return counts_of(self.plan(), taken_down)

    def recall(self) -> dict[tuple[str, int], float]:
        """(space, k) → mean recall of all copies by exact search."""
        table = self.storage.read_table(self.metrics_path)
        return {
            (row["space"], row["k"]): row["mean"]
            for row in table.to_pylist()
            if (row["search"], row["scope"], row["metric"]) == ("exact", "all", "recall")
        }

    def sealed(self) -> bool:
        return self.storage.exists(self.manifest_path)

    def finished(self) -> bool:
        """Whether it is sealed, and no file of it is being made anew."""
        return self.sealed() and REMADE not in self.manifest()


def write_plan(
    storage: Storage,
    config: Config,
    catalog_id: str,
    spaces: tuple[FeatureSpace, ...],
    precision_reasons: dict[str, str],
    images: pa.Table,
    rejects: pa.Table,
    artworks: int,
    verdicts: pa.Table | None = None,
) -> Snapshot:
    """Begin the snapshot of an extraction. The same extraction, beside the same `verdicts`, always begins
    the same snapshot."""
    if verdicts is None:
        verdicts = schemas.VERDICTS.empty_table()
    plan = Plan(
        catalog_id=catalog_id,
        code_version=__version__,
        spaces=spaces,
        precision_reasons=precision_reasons,
        artworks=artworks,
        images=images.num_rows,
        rejects=rejects.num_rows,
        images_sha256=_digest_of(images),
        settings=config,
        verdicts_sha256=verdicts_digest(verdicts),
    )
    snapshot = Snapshot(storage, plan.snapshot_id)
    if not snapshot.sealed():
        storage.write_table(snapshot.verdicts_path, verdicts)
        storage.write_table(snapshot.images_path, images.cast(schemas.IMAGES))
        stored = make_relative(storage.root, rejects.cast(schemas.REJECTS))
        storage.write_table(snapshot.rejects_path, stored)
        storage.write_json(snapshot.plan_path, plan.to_json())
    storage.write_bytes("PENDING", plan.snapshot_id.encode())
    return snapshot


def verdicts_digest(verdicts: pa.Table) -> str | None:
    """The SHA-256 of schemas.VERDICTS; None where nobody said anything."""
    if not verdicts.num_rows:
        return None
    return hashlib.sha256(json.dumps(verdicts.to_pylist(), sort_keys=True).encode()).hexdigest()


def _digest_of(images: pa.Table) -> str:
    """SHA-256 of the lines `image_id content_hash`, computed piece by piece: a million artworks have six
    million lines."""
    digest = hashlib.sha256()
    lines = pc.binary_join_element_wise(images["image_id"], images["content_hash"], " ")
    for start in range(0, len(lines), LINES_AT_ONCE):
        piece = "\n".join(lines.slice(start, LINES_AT_ONCE).to_pylist())
        digest.update(f"{chr(10) if start else ''}{piece}".encode())
    return digest.hexdigest()


def pending_snapshot(storage: Storage) -> Snapshot:
    """The snapshot that `extract` planned last."""
    recognise(storage)
    try:
        return Snapshot(storage, storage.read_bytes("PENDING").decode().strip())
    except NotFoundError:
        raise NotFoundError(
            f"{storage.root}: nothing extracted yet; run `simsearch extract` first"
        ) from None


def seal(
    snapshot: Snapshot, steps: list[dict[str, Any]], environment: dict[str, str]
) -> dict[str, Any]:
    """Write the manifest of a finished snapshot. If the snapshot has one already, return that."""
    storage = snapshot.storage
    if snapshot.sealed():
        return snapshot.manifest()
    plan = snapshot.plan()
    manifest = {
        "snapshot_id": snapshot.snapshot_id,
        "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        "plan": plan.to_json(),
        "inputs": inputs_of(snapshot, plan),
        "steps": steps,
        "environment": environment,
        "files": describe_files(snapshot),
    }
    storage.write_json(snapshot.manifest_path, manifest)
    return manifest


def describe_files(
    snapshot: Snapshot, names: Collection[str] | None = None
) -> dict[str, dict[str, Any]]:
    """The digest and the size of each file of a snapshot, or of the `names` that exist."""
    storage = snapshot.storage
    return {
        info.path: {"sha256": storage.digest(snapshot.path(info.path)), "bytes": info.size}
        for info in storage.files(snapshot.folder)
        if names is None or info.path in names
    }


def inputs_of(snapshot: Snapshot, plan: Plan) -> dict[str, Any]:
    """The digests of all inputs of the snapshot."""
    indexes = {
        space.fingerprint: snapshot.storage.read_json(snapshot.index_manifest_path(space.name))
        for space in plan.spaces
    }
    return {
        "catalog_sha256": snapshot.storage.digest(f"catalog/{plan.catalog_id}.parquet"),
        "images_sha256": plan.images_sha256,
        "settings_sha256": settings_digest(plan.to_json()["settings"]),
        "code_version": plan.code_version,
        "weights_sha256": {space.name: space.weights_digest for space in plan.spaces},
        "features_sha256": {
            fingerprint: index["features_sha256"] for fingerprint, index in indexes.items()
        },
    }
