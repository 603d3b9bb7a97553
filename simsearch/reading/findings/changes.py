"""The artworks added, removed and changed since the previous snapshot, with the rows that show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.library import Library, Listed
from simsearch.reading.view import SnapshotView
from simsearch.snapshots.diff import WHERE_IT_LIES, SnapshotDiff, diff

SHOWN = 24  # artworks of each kind; the rest is only counted


@dataclass(frozen=True)
class Since:
    """The snapshot `before` a view's in the same root, its view `older`, and the changes since."""

    before: Listed
    older: SnapshotView
    changes: SnapshotDiff


@dataclass(frozen=True)
class Redescribed:
    """An artwork whose catalog entry has changed: the column, its old value, its new value."""

    artwork: ViewArtwork
    fields: list[tuple[str, str, str]]


def find_changes(library: Library, view: SnapshotView) -> Since | None:
    """The changes since the previous snapshot. None for the first snapshot of its root."""
    listed = library.listed()
    place = next(
        (n for n, snapshot in enumerate(listed) if snapshot.snapshot_id == view.snapshot_id), 0
    )
    before = next(
        (snapshot for snapshot in listed[place + 1 :] if snapshot.root == listed[place].root), None
    )
    if before is None:
        return None
    older = library.view(before.snapshot_id)
    return Since(before, older, diff(older.snapshot, view.snapshot))


def find_shown(view: SnapshotView, ids: Sequence[str]) -> list[ViewArtwork]:
    """The first of those artworks that have a picture in the snapshot."""
    numbers = [number for artwork_id in ids if (number := view.number_of(artwork_id)) is not None]
    return [view.artwork_at(number) for number in numbers[:SHOWN]]


def pairs(
    older: SnapshotView, view: SnapshotView, ids: Sequence[tuple[str, str]]
) -> list[tuple[ViewArtwork, ViewArtwork]]:
    """Pairs of old and new artworks whose pictures are in both snapshots."""
    numbers = [
        (before, after)
        for old, new in ids
        if (before := older.number_of(old)) is not None
        and (after := view.number_of(new)) is not None
    ]
    return [(older.artwork_at(before), view.artwork_at(after)) for before, after in numbers[:SHOWN]]


def find_redescribed(
    older: SnapshotView, view: SnapshotView, ids: Sequence[str]
) -> list[Redescribed]:
    return [
        Redescribed(after, _differences(before.row, after.row))
        for before, after in pairs(older, view, [(artwork_id, artwork_id) for artwork_id in ids])
    ]


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (name, _text(before.get(name)), _text(after.get(name)))
        for name in sorted(before | after)
        if name not in WHERE_IT_LIES and before.get(name) != after.get(name)
    ]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "nothing")
