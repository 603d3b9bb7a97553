"""Takes an artwork out of one snapshot, which keeps its id and is whole by its manifest afterwards.

So that the number of every other item stays right, a stand-in takes the places of the artwork's images.
Its vectors are zero, and no reader shows it. Lists and ranks keep a gap. Measured means stay, because
they say nothing of a single artwork.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.catalog.forgotten import Record
from simsearch.errors import IncompleteError
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.indexes.index import read_manifest
from simsearch.indexes.write import write_index
from simsearch.runs.forgetting.trace import Trace
from simsearch.settings.config import Config
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot, counts_of, describe_files, inputs_of
from simsearch.storage.parquet import encode_table
from simsearch.storage.storage import Storage

KEYS = ("_id", "_hash", "image_uri")
"""How columns end that name an artwork, an image or a picture."""


def forget_in(config: Config, snapshot: Snapshot, record: Record, trace: Trace) -> None:
    """Take the artwork out of a snapshot. An unsealed snapshot is removed. A snapshot whose manifest names
    the record is finished.

    The manifest gets the digest of each table before the table is written, and only if the old table was
    whole. `verify` therefore still reports a file that was damaged before, however often the removal was
    interrupted.
    """
    if not snapshot.sealed():
        _remove(snapshot)
        return
    manifest = snapshot.manifest()
    taken_down: dict[str, int] = manifest.get("forgotten", {})
    if record.stand_in in taken_down:
        return
    plan, names = snapshot.plan(), {trace.artwork_id, record.stand_in}
    taken_down |= {record.stand_in: len(_places(snapshot.images(), names))}
    _forget_in_tables(snapshot, plan, record, trace)
    changed: list[str] = []
    for space in plan.spaces:
        changed += _rebuild_index(snapshot, plan, space)
    report = snapshot.report_path.removeprefix(f"{snapshot.folder}/")
    if report in manifest["files"]:
        changed += _draw_report(config, snapshot, plan, {**manifest, "forgotten": taken_down})
    manifest = snapshot.manifest()
    files = {**manifest["files"], **describe_files(snapshot, changed)}
    drawn = {name for name in files if name.startswith("report/")} - {*changed}
    snapshot.storage.write_json(
        snapshot.manifest_path,
        {
            **manifest,
            "files": {name: files[name] for name in sorted(files.keys() - drawn)},
            "inputs": inputs_of(snapshot, plan),
            "forgotten": taken_down,
        },
    )


def _remove(snapshot: Snapshot) -> None:
    """Remove an unfinished snapshot. Its table of images goes last: the table shows that the snapshot holds
    the artwork."""
    names = sorted(
        (info.path for info in snapshot.storage.files(snapshot.folder)),
        key=lambda name: snapshot.path(name) == snapshot.images_path,
    )
    for name in names:
        snapshot.storage.delete(snapshot.path(name))


def _forget_in_tables(snapshot: Snapshot, plan: Plan, record: Record, trace: Trace) -> None:
    """Rewrite each table that names the artwork. The table of images comes last, because the others are
    read with its help."""
    images = snapshot.images()
    places = _places(images, {trace.artwork_id, record.stand_in})
    ids = {schemas.image_id(trace.artwork_id, name) for name in (None, *plan.profiles)}
    keys = {trace.artwork_id, *ids, *trace.hashes, *trace.addresses}
    for info in snapshot.storage.files(snapshot.folder):
        path = snapshot.path(info.path)
        own = info.path.startswith("indexes/") or path == snapshot.images_path
        if not info.path.endswith(".parquet") or own:
            continue
        table = snapshot.storage.read_table(path)
        if "items" in table.column_names:
            rewritten = _remove_items(table, images, places)
        else:
            rewritten = _remove_rows(table, keys)
        if rewritten is not None:
            _replace(snapshot, info.path, rewritten)
    stand_in = _put_stand_in(images, trace.artwork_id, record.stand_in)
    _replace(snapshot, snapshot.images_path.removeprefix(f"{snapshot.folder}/"), stand_in)


def _replace(snapshot: Snapshot, name: str, table: pa.Table) -> None:
    """Write a table anew. Its digest in the manifest follows first, if the old table was whole."""
    data, manifest, path = encode_table(table), snapshot.manifest(), snapshot.path(name)
    described = manifest["files"].get(name)
    if described is not None and described["sha256"] == snapshot.storage.digest(path):
        described |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        snapshot.storage.write_json(snapshot.manifest_path, manifest)
    snapshot.storage.write_bytes(path, data)


def _places(images: pa.Table, artwork_ids: set[str]) -> npt.NDArray[np.int64]:
    chosen = pc.is_in(images["artwork_id"], value_set=pa.array(sorted(artwork_ids)))
    return np.flatnonzero(chosen.to_numpy())


def _remove_rows(table: pa.Table, keys: set[str]) -> pa.Table | None:
    """The table without the rows that name the artwork. None if there are no such rows."""
    values = pa.array(sorted(keys), pa.string())
    gone = np.zeros(table.num_rows, dtype=bool)
    for field in table.schema:
        if field.name.endswith(KEYS) and field.type == pa.string():
            gone |= pc.is_in(table[field.name], value_set=values).to_numpy()
    return table.filter(pa.array(~gone)) if gone.any() else None


def _remove_items(
    table: pa.Table, images: pa.Table, places: npt.NDArray[np.int64]
) -> pa.Table | None:
    """Neighbour lists without some items. Later entries of a list move up, and the items' own lists become
    empty. None if no list changes."""
    width = table.schema.field("items").type.list_size
    items = table["items"].combine_chunks().flatten().to_numpy().reshape(-1, width).copy()
    name = "squared" if "squared" in table.column_names else "distances"
    apart = table[name].combine_chunks().flatten().to_numpy().reshape(-1, width).copy()
    originals = np.flatnonzero(images["profile"].is_null().to_numpy())
    gone = np.isin(items, places)
    if len(items) == len(originals):
        gone |= np.isin(originals, places)[:, None] & (items >= 0)
    if not gone.any():
        return None
    items[gone], apart[gone] = -1, np.inf
    order = np.argsort(gone, axis=1, kind="stable")
    moved = {
        "items": np.take_along_axis(items, order, axis=1),
        name: np.take_along_axis(apart, order, axis=1),
    }
    for column, matrix in moved.items():
        place = table.schema.get_field_index(column)
        flat = pa.array(matrix.ravel(), table.schema.field(column).type.value_type)
        array = pa.FixedSizeListArray.from_arrays(flat, width)
        table = table.set_column(place, table.schema.field(column), array)
    return table


def _put_stand_in(images: pa.Table, artwork_id: str, stand_in: str) -> pa.Table:
    rows = images.to_pylist()
    for row in rows:
        if row["artwork_id"] == artwork_id:
            row |= {
                "image_id": schemas.image_id(stand_in, row["profile"]),
                "artwork_id": stand_in,
                "content_hash": stand_in,
            }
    return pa.Table.from_pylist(rows, schema=images.schema)


def _rebuild_index(snapshot: Snapshot, plan: Plan, space: FeatureSpace) -> list[str]:
    """Build a space's index anew if it is not an index of the present images, or not the one in the
    snapshot's manifest. Returns the names of its files."""
    storage, folder = snapshot.storage, snapshot.index_folder(space.name)
    manifest, images = read_manifest(storage, folder), snapshot.images()
    path = f"{folder}/ids.parquet"
    same = storage.digest(path) == manifest.ids_sha256  # its manifest is written last
    if same and storage.read_table(path)["image_id"].equals(images["image_id"]):
        files = snapshot.manifest()["files"]
        described = describe_files(snapshot, _names(snapshot, folder))
        if all(files.get(name) == described[name] for name in described):
            return []
    try:
        vectors = feature_store.read_vectors(storage, space, images)
    except IncompleteError as error:
        raise IncompleteError(
            f"{error} and then this command; where the collection has no longer all pictures of snapshot "
            f"{snapshot.snapshot_id}, remove that snapshot with `simsearch snapshots gc`"
        ) from None
    write_index(
        storage,
        folder,
        images,
        vectors,
        space,
        trees=manifest.trees,
        seed=manifest.seed,
        neighbours=manifest.neighbours,
        target_recall=plan.settings.index.target_recall,
        components=plan.settings.index.components,
        images_per_artwork=1 + len(plan.profiles),
    )
    return _names(snapshot, folder)


def _names(snapshot: Snapshot, folder: str) -> list[str]:
    """The names of a folder's files in the snapshot's manifest."""
    below = folder.removeprefix(f"{snapshot.folder}/")
    return [f"{below}/{info.path}" for info in snapshot.storage.files(folder)]


def _draw_report(
    config: Config, snapshot: Snapshot, plan: Plan, manifest: dict[str, Any]
) -> Sequence[str]:
    """Make the report anew, as its examples may show the artwork. Returns the names of its files."""
    from simsearch.reading.runs import steps_of
    from simsearch.reading.view import SnapshotView
    from simsearch.reports.report import write_report

    folder = f"{snapshot.folder}/report"
    for info in snapshot.storage.files(folder):
        snapshot.storage.delete(f"{folder}/{info.path}")
    settings = plan.settings.model_copy(update={"storage": config.storage, "root": config.root})
    counts = counts_of(plan, manifest["forgotten"])
    view = SnapshotView(settings, snapshot)
    write_report(view, counts, steps_of(view), manifest["environment"])
    return _names(snapshot, folder)


def snapshots_at_hand(storage: Storage, record: Record) -> list[Snapshot]:
    """The snapshots that a record names, without those that were removed since."""
    snapshots = [Snapshot(storage, snapshot_id) for snapshot_id in record.snapshots]
    return [snapshot for snapshot in snapshots if storage.exists(snapshot.images_path)]
