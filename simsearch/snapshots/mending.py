"""Makes anew the files that a sealed snapshot lacks.

The manifest loses them first and names them as `remade`, so that an interrupted mending is known as such
and begun again by the next run. The steps then find their files missing, as in an unfinished snapshot.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from simsearch import schemas
from simsearch.snapshots.snapshot import REMADE, Snapshot, describe_files
from simsearch.storage.inside import make_relative
from simsearch.storage.parquet import encode_table

SEARCHED = frozenset(
    (
        "neighbours",
        "near_duplicates",
        "chance",
        "unseen",
        "confusers",
        "spreads",
        "lists",
        "metrics",
        "scores",
        "comparisons",
    )
)
"""Folders that are filled together: scores need lists that are removed once they are scored."""


def lacking_files(snapshot: Snapshot) -> list[str]:
    """The names of the files of a sealed snapshot that are gone, are not as long as its manifest says, or
    were being made anew when a run was interrupted. The files are listed and not read."""
    manifest = snapshot.manifest()
    sizes = {info.path: info.size for info in snapshot.storage.files(snapshot.folder)}
    lacking = {name for name, file in manifest["files"].items() if sizes.get(name) != file["bytes"]}
    return sorted(lacking | {*manifest.get(REMADE, ())})


def begin_mending(
    snapshot: Snapshot, images: pa.Table, rejects: pa.Table, verdicts: pa.Table
) -> list[str]:
    """Remove what is made together with the files that a sealed snapshot lacks, so that the steps make it
    anew; returns the names of the lacking files. The plan, the images, the rejects and the verdicts are
    written at once."""
    lacking = lacking_files(snapshot)
    if not lacking:
        return []
    manifest, storage = snapshot.manifest(), snapshot.storage
    groups = {_group(name) for name in lacking}
    kept = {name: file for name, file in manifest["files"].items() if _group(name) not in groups}
    remade = sorted((manifest["files"].keys() - kept.keys()) | {*lacking})
    storage.write_json(snapshot.manifest_path, {**manifest, "files": kept, REMADE: remade})
    for name in remade:
        storage.delete(snapshot.path(name))
    stored = make_relative(storage.root, rejects.cast(schemas.REJECTS))
    for path, table in (
        (snapshot.images_path, images.cast(schemas.IMAGES)),
        (snapshot.rejects_path, stored),
        (snapshot.verdicts_path, verdicts),
    ):
        if not storage.exists(path):
            storage.write_bytes(path, encode_table(table))
    if not storage.exists(snapshot.plan_path):
        storage.write_json(snapshot.plan_path, manifest["plan"])
    return lacking


def end_mending(snapshot: Snapshot) -> dict[str, Any]:
    """Describe in the manifest of a sealed snapshot what was made anew; returns the manifest."""
    manifest = snapshot.manifest()
    remade = manifest.pop(REMADE, None)
    if remade is None:
        return manifest
    groups = {_group(name) for name in remade}
    names = [info.path for info in snapshot.storage.files(snapshot.folder)]
    files = describe_files(snapshot, {name for name in names if _group(name) in groups})
    files |= manifest["files"]
    manifest["files"] = {name: files[name] for name in sorted(files)}
    snapshot.storage.write_json(snapshot.manifest_path, manifest)
    return manifest


def _group(name: str) -> str:
    """Of a file in a snapshot: what is made together with it."""
    folder, _, rest = name.partition("/")
    if folder == "indexes":
        return f"indexes/{rest.partition('/')[0]}"
    return "neighbours" if folder in SEARCHED else folder
