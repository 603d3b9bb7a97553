"""Snapshots: what a run made, under an id that follows from what it was made from.

    snapshots/<id>/plan.json       written by `extract`: catalog, feature spaces, images
    snapshots/<id>/images.parquet  which images, in the order of every index
    snapshots/<id>/manifest.json   written last, by `seal`: every file's digest and every input's
    LATEST                         the published snapshot's id, swapped by `point_latest`
    PENDING                        the id `extract` planned last, for steps run one at a time

A snapshot without a manifest is unfinished and no reader opens it. A sealed one never changes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from simsearch import __version__, schemas
from simsearch.config import OPERATIONAL, Config
from simsearch.errors import NotFoundError, StorageError
from simsearch.features.space import FeatureSpace
from simsearch.storage.storage import Storage


@dataclass(frozen=True)
class Plan:
    """Everything that decides a snapshot's content."""

    catalog_id: str
    code_version: str
    seed: int
    profiles: tuple[str, ...]
    reencode_jpeg: bool
    spaces: tuple[FeatureSpace, ...]
    precision_reasons: dict[str, str]
    index: dict[str, Any]
    evaluate: dict[str, Any]
    projection: dict[str, Any]
    report: dict[str, Any]
    artworks: int
    images: int
    rejects: int
    images_sha256: str
    settings: dict[str, Any]

    @property
    def snapshot_id(self) -> str:
        """The settings file and the spoken reasons are for readers and do not count."""
        counted = {
            key: value
            for key, value in self.to_json().items()
            if key not in ("settings", "precision_reasons")
        }
        return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "spaces": [space.to_json() for space in self.spaces]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Plan:
        spaces = tuple(FeatureSpace.from_json(each) for each in values["spaces"])
        return cls(**{**values, "spaces": spaces, "profiles": tuple(values["profiles"])})

    def space(self, name: str) -> FeatureSpace:
        return next(space for space in self.spaces if space.name == name)


@dataclass(frozen=True)
class Snapshot:
    """One snapshot's folder; paths it hands out are relative to the storage root."""

    storage: Storage
    snapshot_id: str

    def path(self, name: str) -> str:
        return f"snapshots/{self.snapshot_id}/{name}"

    def index_folder(self, space: str) -> str:
        return self.path(f"indexes/{space}")

    def plan(self) -> Plan:
        try:
            return Plan.from_json(self.storage.read_json(self.path("plan.json")))
        except (TypeError, KeyError) as error:
            raise StorageError(
                f"{self.storage.uri(self.path('plan.json'))}: not this version's plan ({error}); run `simsearch extract` again"
            ) from None

    def images(self) -> pa.Table:
        return self.storage.read_table(self.path("images.parquet"))

    def rejects(self) -> pa.Table:
        return self.storage.read_table(self.path("rejects.parquet"))

    def manifest(self) -> dict[str, Any]:
        """Raises NotFoundError for a snapshot that is not sealed."""
        manifest: dict[str, Any] = self.storage.read_json(self.path("manifest.json"))
        return manifest

    def created(self) -> str:
        """When it was sealed, ISO 8601 in UTC."""
        return str(self.manifest()["created"])

    def recall(self) -> dict[tuple[str, int], float]:
        """(space, k) → mean recall of all copies by exact search."""
        table = self.storage.read_table(self.path("metrics/metrics.parquet"))
        return {
            (row["space"], row["k"]): row["mean"]
            for row in table.to_pylist()
            if (row["search"], row["group"], row["metric"]) == ("exact", "all", "recall")
        }

    def sealed(self) -> bool:
        return self.storage.exists(self.path("manifest.json"))


def write_plan(
    storage: Storage,
    config: Config,
    catalog_id: str,
    spaces: tuple[FeatureSpace, ...],
    precision_reasons: dict[str, str],
    images: pa.Table,
    rejects: pa.Table,
    artworks: int,
) -> Snapshot:
    """Begin the snapshot of an extraction; the same extraction begins the same snapshot again."""
    listing = "\n".join(f"{row['image_id']} {row['content_hash']}" for row in images.to_pylist())
    plan = Plan(
        catalog_id=catalog_id,
        code_version=__version__,
        seed=config.seed,
        profiles=config.perturbations.profiles,
        reencode_jpeg=config.perturbations.reencode_jpeg,
        spaces=spaces,
        precision_reasons=precision_reasons,
        index=config.index.model_dump(mode="json"),
        evaluate=config.evaluate.model_dump(mode="json"),
        projection=config.projection.model_dump(mode="json"),
        report=config.report.model_dump(mode="json"),
        artworks=artworks,
        images=images.num_rows,
        rejects=rejects.num_rows,
        images_sha256=hashlib.sha256(listing.encode()).hexdigest(),
        settings=config.model_dump(mode="json"),
    )
    snapshot = Snapshot(storage, plan.snapshot_id)
    if not snapshot.sealed():
        storage.write_table(snapshot.path("images.parquet"), images.cast(schemas.IMAGES))
        storage.write_table(snapshot.path("rejects.parquet"), rejects.cast(schemas.REJECTS))
        storage.write_json(snapshot.path("plan.json"), plan.to_json())
    storage.write_bytes("PENDING", plan.snapshot_id.encode())
    return snapshot


def pending_snapshot(storage: Storage) -> Snapshot:
    """The snapshot that `extract` planned last."""
    try:
        return Snapshot(storage, storage.read_bytes("PENDING").decode().strip())
    except NotFoundError:
        raise NotFoundError(
            f"{storage.root}: nothing extracted yet; run `simsearch extract` first"
        ) from None


def seal(
    snapshot: Snapshot, steps: list[dict[str, Any]], environment: dict[str, str]
) -> dict[str, Any]:
    """Write the manifest of a finished snapshot, or return the one that is there."""
    storage = snapshot.storage
    if snapshot.sealed():
        return snapshot.manifest()
    plan = snapshot.plan()
    manifest = {
        "snapshot_id": snapshot.snapshot_id,
        "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        "plan": plan.to_json(),
        "inputs": _inputs(snapshot, plan),
        "steps": steps,
        "environment": environment,
        "files": {
            info.path: {"sha256": storage.digest(snapshot.path(info.path)), "bytes": info.size}
            for info in storage.files(f"snapshots/{snapshot.snapshot_id}")
        },
    }
    storage.write_json(snapshot.path("manifest.json"), manifest)
    return manifest


def _inputs(snapshot: Snapshot, plan: Plan) -> dict[str, Any]:
    """The digests of all that went in."""
    indexes = {
        space.fingerprint: snapshot.storage.read_json(
            f"{snapshot.index_folder(space.name)}/manifest.json"
        )
        for space in plan.spaces
    }
    return {
        "catalog_sha256": snapshot.storage.digest(f"catalog/{plan.catalog_id}.parquet"),
        "images_sha256": plan.images_sha256,
        "settings_sha256": settings_digest(plan.settings),
        "code_version": plan.code_version,
        "weights_sha256": {space.name: space.weights_digest for space in plan.spaces},
        "features_sha256": {
            fingerprint: index["features_sha256"] for fingerprint, index in indexes.items()
        },
    }


def settings_digest(settings: dict[str, Any]) -> str:
    """The SHA-256 of the settings that decide what comes out of a run."""
    counted = {key: value for key, value in settings.items() if key not in OPERATIONAL}
    counted["extract"] = {**settings["extract"], "retry_rejects": False}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()


def untrained_of(plan: Plan) -> frozenset[str]:
    return frozenset(space.name for space in plan.spaces if not space.trained)


def warnings_of(plan: Plan) -> list[str]:
    """What a reader must know before believing a figure."""
    warnings = []
    if names := sorted(untrained_of(plan)):
        warnings.append(
            f"Untrained weights: {', '.join(names)} ran with random numbers. Their figures say nothing about the trained networks."
        )
    if live := sorted(space.name for space in plan.spaces if space.mode == "study-2018"):
        warnings.append(
            f"Live dropout and batch statistics, as in the 2018 study, for comparison only: {', '.join(live)}. "
            "A vector depends on the images in its batch."
        )
    return warnings
