"""Roots of format 1, which knew a feature space by its backbone alone, made into today's.

Vectors stay where they are: their fingerprints are the same. A snapshot's id follows from its plan,
and the plan's form has changed, so each sealed snapshot is written anew under its new id and then
removed under its old one. The marker is rewritten last: a migration that was interrupted goes on
where it stopped.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from simsearch.errors import UsageError
from simsearch.snapshots.plan import Plan, plan_digest, settings_digest
from simsearch.snapshots.published import list_snapshots, read_latest
from simsearch.snapshots.root import (
    FIRST_RULES,
    ROOT_FORMAT,
    check_format,
    root_format,
    write_marker,
)
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage

OLD_FORMAT = 1
OLD_COLUMN, COLUMN = "backbone", "space"


def migrate(storage: Storage, advance: Callable[[str], None]) -> dict[str, str]:
    """Bring a root of format 1 up to date; returns old snapshot ids → new.

    `advance` is told each snapshot's old id as it is begun. The caller holds the root's lease.
    Raises UsageError for a root that is up to date already, StorageError for one of a format that
    is neither.
    """
    if root_format(storage) == ROOT_FORMAT:
        raise UsageError(f"{storage.root}: format {ROOT_FORMAT} already, nothing to migrate")
    if root_format(storage) != OLD_FORMAT:
        check_format(storage)
    manifests = {snapshot: snapshot.manifest() for snapshot in reversed(list_snapshots(storage))}
    # All of them first: a rewritten snapshot is as old as the one that it was made from.
    renamed: dict[str, str] = {
        manifest["migrated_from"]: snapshot.snapshot_id
        for snapshot, manifest in manifests.items()
        if "migrated_from" in manifest
    }
    for snapshot, manifest in manifests.items():
        if "migrated_from" not in manifest and snapshot.snapshot_id not in renamed:
            advance(snapshot.snapshot_id)
            renamed[snapshot.snapshot_id] = _rewrite(snapshot, manifest).snapshot_id
    _rename_pointers(storage, renamed)
    _rename_records(storage, renamed)
    _rename_experiments(storage, renamed)
    for old_id in renamed:
        _remove(Snapshot(storage, old_id))
    write_marker(storage, FIRST_RULES)
    return renamed


def _plan_values(old: dict[str, Any]) -> dict[str, Any]:
    """A plan's JSON of today from one of format 1."""
    spaces = []
    for space in old["spaces"]:
        rest = {key: value for key, value in space.items() if key != OLD_COLUMN}
        name = space[OLD_COLUMN]
        spaces.append({**rest, "name": name, "encoder": name, "head": None, "head_digest": None})
    kept = ("catalog_id", "code_version", "precision_reasons", "artworks", "images", "rejects")
    values = {key: old[key] for key in (*kept, "images_sha256", "settings")}
    return Plan.from_json({**values, "spaces": spaces}).to_json()


def _rewrite(old: Snapshot, manifest: dict[str, Any]) -> Snapshot:
    storage = old.storage
    values = _plan_values(manifest["plan"])
    new = Snapshot(storage, plan_digest(values))
    files = {}
    for name in manifest["files"]:
        if name == "plan.json":
            storage.write_json(new.plan_path, values)
        elif name.endswith(".parquet"):
            table = storage.read_table(old.path(name))
            names = [COLUMN if column == OLD_COLUMN else column for column in table.column_names]
            if names == table.column_names:
                _copy(storage, old.path(name), new.path(name))
            else:
                storage.write_table(new.path(name), table.rename_columns(names))
        else:
            _copy(storage, old.path(name), new.path(name))
    for info in storage.files(new.folder):
        if info.path != "manifest.json":
            digest = storage.digest(new.path(info.path))
            files[info.path] = {"sha256": digest, "bytes": info.size}
    inputs = {**manifest["inputs"], "settings_sha256": settings_digest(values["settings"])}
    storage.write_json(
        new.manifest_path,
        {
            **manifest,
            "snapshot_id": new.snapshot_id,
            "migrated_from": old.snapshot_id,
            "plan": values,
            "inputs": inputs,
            "files": files,
        },
    )
    return new


def _copy(storage: Storage, source: str, target: str) -> None:
    with tempfile.TemporaryDirectory(prefix="simsearch-") as scratch:
        local = Path(scratch) / "file"
        storage.download(source, local)
        storage.upload(local, target)


def _rename_pointers(storage: Storage, renamed: dict[str, str]) -> None:
    latest, version = read_latest(storage)
    if latest is not None:
        wanted = replace(
            latest,
            snapshot_id=renamed.get(latest.snapshot_id, latest.snapshot_id),
            withdrawn=tuple(renamed.get(old_id, old_id) for old_id in latest.withdrawn),
        )
        storage.replace("LATEST", json.dumps(asdict(wanted), indent=2).encode(), version)
    if storage.exists("PENDING"):
        pending = storage.read_bytes("PENDING").decode().strip()
        if pending in renamed:
            storage.write_bytes("PENDING", renamed[pending].encode())
        elif pending not in renamed.values():  # an unfinished one: `extract` plans it anew
            storage.delete("PENDING")


def _rename_records(storage: Storage, renamed: dict[str, str]) -> None:
    for info in storage.files("runs"):
        record = storage.read_json(f"runs/{info.path}")
        for key in ("snapshot_id", "previous_snapshot_id"):
            record[key] = renamed.get(record[key], record[key])
        record["recovery"] = [
            {COLUMN if key == OLD_COLUMN else key: value for key, value in row.items()}
            for row in record["recovery"]
        ]
        storage.write_json(f"runs/{info.path}", record)


def _rename_experiments(storage: Storage, renamed: dict[str, str]) -> None:
    """Their reports link to the snapshots' own."""
    for info in storage.files("experiments"):
        if not info.path.endswith(".html"):
            continue
        page = storage.read_bytes(f"experiments/{info.path}")
        linked = page
        for old_id, new_id in renamed.items():
            linked = linked.replace(old_id.encode(), new_id.encode())
        if linked != page:
            storage.write_bytes(f"experiments/{info.path}", linked)


def _remove(snapshot: Snapshot) -> None:
    """The manifest first, so that what is left of an interrupted removal is no snapshot."""
    storage = snapshot.storage
    storage.delete(snapshot.manifest_path)
    for info in storage.files(snapshot.folder):
        storage.delete(snapshot.path(info.path))
