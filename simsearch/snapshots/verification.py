"""Whether a snapshot is still what its manifest says: every digest computed again from the bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from simsearch.encoders.trained import folders_of, read_training, read_weights
from simsearch.errors import IncompleteError, NotFoundError, SimsearchError
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.snapshots.plan import Plan, plan_digest, settings_digest
from simsearch.snapshots.snapshot import REMADE, Snapshot


def verify(snapshot: Snapshot) -> Iterator[str]:
    """Yield a line for each fault; nothing for a whole snapshot.

    Checked are every file (none is missing, none is extra), the id (it follows from the plan), the
    catalog, and the vectors behind each index.
    """
    try:
        manifest = snapshot.manifest()
    except SimsearchError as error:
        yield str(error)
        return
    yield from _files(snapshot, manifest)
    try:
        plan = snapshot.plan()
    except SimsearchError as error:
        yield str(error)
        return
    stored = snapshot.storage.read_json(snapshot.plan_path)
    if (snapshot_id := plan_digest(stored)) != snapshot.snapshot_id:
        yield f"{snapshot.plan_path}: gives the id {snapshot_id}"
    if settings_digest(stored["settings"]) != manifest["inputs"]["settings_sha256"]:
        yield f"{snapshot.plan_path}: other settings than the manifest's"
    yield from _catalog(snapshot, plan, manifest)
    yield from _learned(snapshot, plan)
    yield from _vectors(snapshot, plan, manifest)


def _files(snapshot: Snapshot, manifest: dict[str, Any]) -> Iterator[str]:
    listed = {info.path for info in snapshot.storage.files(snapshot.folder)}
    for name, expected in manifest["files"].items():
        if name not in listed:
            yield f"{snapshot.path(name)}: missing"
        elif snapshot.storage.digest(snapshot.path(name)) != expected["sha256"]:
            yield f"{snapshot.path(name)}: not the bytes that were published"
    remade = {*manifest.get(REMADE, ())}
    for name in sorted(remade):
        yield f"{snapshot.path(name)}: was being made anew when a run was interrupted"
    for name in sorted(listed - set(manifest["files"]) - {"manifest.json"} - remade):
        yield f"{snapshot.path(name)}: not part of the snapshot"


def _catalog(snapshot: Snapshot, plan: Plan, manifest: dict[str, Any]) -> Iterator[str]:
    path = f"catalog/{plan.catalog_id}.parquet"
    try:
        if snapshot.storage.digest(path) != manifest["inputs"]["catalog_sha256"]:
            yield f"{path}: not the catalog that went in"
    except NotFoundError:
        yield f"{path}: missing"


def _learned(snapshot: Snapshot, plan: Plan) -> Iterator[str]:
    for space in plan.spaces:
        try:
            for place in folders_of(space):
                read_weights(snapshot.storage, read_training(snapshot.storage, place))
        except SimsearchError as error:
            yield str(error)


def _vectors(snapshot: Snapshot, plan: Plan, manifest: dict[str, Any]) -> Iterator[str]:
    images = snapshot.images()
    for space in plan.spaces:
        try:
            vectors = _read_vectors(snapshot, space)
        except SimsearchError as error:
            yield str(error)
            continue
        if len(vectors) != images.num_rows or (
            hashlib.sha256(vectors.tobytes()).hexdigest()
            != manifest["inputs"]["features_sha256"][space.fingerprint]
        ):
            yield f"{feature_store.folder(space)}: not the vectors that were indexed"


def _read_vectors(snapshot: Snapshot, space: FeatureSpace) -> Any:
    images = snapshot.images()
    try:
        return feature_store.read_vectors(snapshot.storage, space, images)
    except (NotFoundError, IncompleteError):
        # A run may have merged small shards between the listing and the reading.
        return feature_store.read_vectors(snapshot.storage, space, images)
