"""Snapshots: what a run made, under an id that follows from what it was made from.

    snapshots/<id>/plan.json       written by `extract`: catalog, feature spaces, images
    snapshots/<id>/images.parquet  which images, in the order of every index
    snapshots/<id>/manifest.json   written last, by `publish`: every file's digest
    LATEST                         the published snapshot's id
    PENDING                        the id `extract` planned last, for steps run one at a time

A snapshot without a manifest is unfinished and no reader opens it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from simsearch import __version__, schemas
from simsearch.config import Config
from simsearch.errors import NotFoundError, StorageError
from simsearch.feature_space import FeatureSpace
from simsearch.storage import Storage

ROOT_MARKER = "simsearch.json"
ROOT_FORMAT = 1


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

    def space(self, backbone: str) -> FeatureSpace:
        return next(space for space in self.spaces if space.backbone == backbone)


@dataclass(frozen=True)
class Snapshot:
    """One snapshot's folder; paths it hands out are relative to the storage root."""

    storage: Storage
    snapshot_id: str

    def path(self, name: str) -> str:
        return f"snapshots/{self.snapshot_id}/{name}"

    def index_folder(self, backbone: str) -> str:
        return self.path(f"indexes/{backbone}")

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

    def published(self) -> bool:
        return self.storage.exists(self.path("manifest.json"))


def open_root(storage: Storage) -> None:
    """Claim an empty root, or recognise one of ours. Raises StorageError for anything else."""
    if storage.exists(ROOT_MARKER):
        found = storage.read_json(ROOT_MARKER).get("format")
        if found != ROOT_FORMAT:
            raise StorageError(
                f"{storage.root}: format {found!r}, this simsearch reads {ROOT_FORMAT}; use the version that wrote it"
            )
        return
    if strangers := storage.files()[:1]:
        raise StorageError(
            f"{storage.root}: holds files that are not simsearch's (such as {strangers[0].path}); "
            "choose an empty folder or prefix as root"
        )
    storage.write_json(ROOT_MARKER, {"format": ROOT_FORMAT, "created_by": __version__})


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
        artworks=artworks,
        images=images.num_rows,
        rejects=rejects.num_rows,
        images_sha256=hashlib.sha256(listing.encode()).hexdigest(),
        settings=config.model_dump(mode="json"),
    )
    snapshot = Snapshot(storage, plan.snapshot_id)
    if not snapshot.published():
        storage.write_table(snapshot.path("images.parquet"), images.cast(schemas.IMAGES))
        storage.write_table(snapshot.path("rejects.parquet"), rejects.cast(schemas.REJECTS))
        storage.write_json(snapshot.path("plan.json"), plan.to_json())
    storage.write_bytes("PENDING", plan.snapshot_id.encode())
    return snapshot


def pending_snapshot(storage: Storage) -> Snapshot:
    """The snapshot that `extract` planned last."""
    return _pointed(storage, "PENDING", "nothing extracted yet; run `simsearch extract` first")


def latest_snapshot(storage: Storage) -> Snapshot:
    """The published snapshot."""
    return _pointed(storage, "LATEST", "no published snapshot here; run `simsearch run` first")


def _pointed(storage: Storage, pointer: str, advice: str) -> Snapshot:
    try:
        return Snapshot(storage, storage.read_bytes(pointer).decode().strip())
    except NotFoundError:
        raise NotFoundError(f"{storage.root}: {advice}") from None


def publish(snapshot: Snapshot, steps: list[dict[str, Any]], environment: dict[str, str]) -> None:
    """Seal a finished snapshot with every file's digest, then point LATEST at it."""
    storage = snapshot.storage
    if not snapshot.published():
        files = {
            info.path: {"sha256": storage.digest(snapshot.path(info.path)), "bytes": info.size}
            for info in storage.files(f"snapshots/{snapshot.snapshot_id}")
        }
        manifest = {
            "snapshot_id": snapshot.snapshot_id,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "plan": snapshot.plan().to_json(),
            "steps": steps,
            "environment": environment,
            "files": files,
        }
        storage.write_json(snapshot.path("manifest.json"), manifest)
    storage.write_bytes("LATEST", snapshot.snapshot_id.encode())
