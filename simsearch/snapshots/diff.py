"""What changed between two snapshots: artworks, settings, metrics, neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.catalog.stored import load_catalog
from simsearch.features.space import FeatureSpace
from simsearch.settings.config import kept_settings
from simsearch.snapshots.snapshot import Snapshot

WHERE_IT_LIES = ("image_uri", "etag")


@dataclass(frozen=True)
class ArtworkChanges:
    """The sorted ids of artworks that were added, removed or changed between two snapshots. `renamed`
    pairs an old id with the new id of the same picture."""

    added: list[str]
    changed: list[str]
    described_anew: list[str]
    renamed: list[tuple[str, str]]
    removed: list[str]

    @property
    def any(self) -> bool:
        return any(vars(self).values())

    def __str__(self) -> str:
        return (
            f"{len(self.added):,} added, {len(self.changed):,} changed, {len(self.renamed):,} renamed, "
            f"{len(self.removed):,} removed, {len(self.described_anew):,} described anew"
        )


@dataclass(frozen=True)
class NeighbourChange:
    """How one space's neighbour lists differ between two snapshots.

    `queries` originals are in both. `kept` is the mean share of a list that stayed, `moved` the number
    of lists that changed. `same_space` is false if the fingerprints differ: then distances cannot be
    compared."""

    space: str
    same_space: bool
    queries: int
    kept: float
    moved: int


@dataclass(frozen=True)
class SnapshotDiff:
    """What differs between two snapshots: artworks; settings as `section.key` → (before, after);
    `metrics` as `metric_changes` gives them."""

    artworks: ArtworkChanges
    settings: dict[str, tuple[Any, Any]]
    metrics: list[dict[str, Any]]

    @property
    def overall_metrics(self) -> list[dict[str, Any]]:
        """The rows of `metrics` for all copies together, by exact search."""
        return [row for row in self.metrics if (row["scope"], row["search"]) == ("all", "exact")]

    def __bool__(self) -> bool:
        return self.artworks.any or bool(self.settings or self.metrics)


def diff(old: Snapshot, new: Snapshot) -> SnapshotDiff:
    """The changes from one sealed snapshot to another, without those of neighbours."""
    before, after = old.plan().settings, new.plan().settings
    return SnapshotDiff(
        artworks=artwork_changes(artworks_of(old), artworks_of(new)),
        settings=setting_changes(kept_settings(before), kept_settings(after)),
        metrics=metric_changes(_metrics(old), _metrics(new)),
    )


def neighbour_changes(old: Snapshot, new: Snapshot) -> list[NeighbourChange]:
    """How the neighbour lists changed, for every space that both sealed snapshots name."""
    before, after = old.plan(), new.plan()
    names = {space.name for space in before.spaces}
    return [
        _neighbour_change(old, new, before.space(space.name), space)
        for space in after.spaces
        if space.name in names
    ]


ArtworkContent = tuple[str | None, tuple[tuple[str, str], ...]]
"""An artwork's content hash (None where its image was rejected) and its description."""


def artworks_of(snapshot: Snapshot) -> dict[str, ArtworkContent]:
    """The artworks of a snapshot by their id."""
    images = snapshot.images()
    originals = images.filter(pc.is_null(images["profile"]))
    hashes = dict(
        zip(originals["artwork_id"].to_pylist(), originals["content_hash"].to_pylist(), strict=True)
    )
    catalog = load_catalog(snapshot.storage, snapshot.plan().catalog_id).table
    return {
        row["artwork_id"]: (
            hashes.get(row["artwork_id"]),
            tuple((key, repr(row[key])) for key in sorted(row) if key not in WHERE_IT_LIES),
        )
        for row in catalog.to_pylist()
    }


def artwork_changes(
    old: Mapping[str, ArtworkContent], new: Mapping[str, ArtworkContent]
) -> ArtworkChanges:
    """The artworks that were added, removed or changed. A new id counts as a rename if its picture was a
    removed id's."""
    gone_by_hash: dict[str, list[str]] = defaultdict(list)
    for artwork_id in sorted(set(old) - set(new), reverse=True):
        if (content_hash := old[artwork_id][0]) is not None:
            gone_by_hash[content_hash].append(artwork_id)
    added, renamed = [], []
    for artwork_id in sorted(set(new) - set(old)):
        content_hash = new[artwork_id][0]
        if content_hash is not None and gone_by_hash[content_hash]:
            renamed.append((gone_by_hash[content_hash].pop(), artwork_id))
        else:
            added.append(artwork_id)
    both = sorted(set(old) & set(new))
    return ArtworkChanges(
        added=added,
        changed=[artwork_id for artwork_id in both if old[artwork_id][0] != new[artwork_id][0]],
        described_anew=[
            artwork_id for artwork_id in both if old[artwork_id][1] != new[artwork_id][1]
        ],
        renamed=renamed,
        removed=sorted(set(old) - set(new) - {before for before, _ in renamed}),
    )


def setting_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """`section.key` → (before, after) of each setting that decides a run's results and differs."""
    before, after = _flat(old), _flat(new)
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before | after)
        if before.get(key) != after.get(key)
    }


def metric_changes(old: pa.Table, new: pa.Table) -> list[dict[str, Any]]:
    """The rows of schemas.METRICS whose mean changed: their keys, `before` and `after` (None: absent)."""
    keys = ("space", "search", "scope", "k", "metric")

    def means(table: pa.Table) -> dict[tuple[Any, ...], float]:
        return {tuple(row[key] for key in keys): row["mean"] for row in table.to_pylist()}

    before, after = means(old), means(new)
    return [
        {**dict(zip(keys, key, strict=True)), "before": before.get(key), "after": after.get(key)}
        for key in [*after, *(key for key in before if key not in after)]
        if before.get(key) != after.get(key)
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def _metrics(snapshot: Snapshot) -> pa.Table:
    return snapshot.storage.read_table(snapshot.metrics_path)


def _neighbour_change(
    old: Snapshot, new: Snapshot, before: FeatureSpace, after: FeatureSpace
) -> NeighbourChange:
    old_lists, new_lists = (_neighbour_lists(snapshot, after.name) for snapshot in (old, new))
    common = sorted(set(old_lists) & set(new_lists))
    kept_shares = [
        len(set(old_lists[query]) & set(new_lists[query])) / len(old_lists[query])
        for query in common
    ]
    return NeighbourChange(
        space=after.name,
        same_space=before.fingerprint == after.fingerprint,
        queries=len(common),
        kept=sum(kept_shares) / len(kept_shares) if kept_shares else 0.0,
        moved=sum(old_lists[query] != new_lists[query] for query in common),
    )


def _neighbour_lists(snapshot: Snapshot, space: str) -> dict[str, list[str]]:
    table = snapshot.storage.read_table(snapshot.neighbours_path(space, "exact"))
    table = table.sort_by([("query_id", "ascending"), ("rank", "ascending")])
    lists: dict[str, list[str]] = defaultdict(list)
    for query, neighbour in zip(
        table["query_id"].to_pylist(), table["neighbour_id"].to_pylist(), strict=True
    ):
        lists[query].append(neighbour)
    return lists
