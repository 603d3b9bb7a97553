"""What a run was made of, what changed since the one before, and what was rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simsearch.explorer.data.recovery import OVERALL
from simsearch.explorer.data.view import SnapshotView

EXAMPLES = 5  # rejects shown per reason
UNCOUNTED = ("root", "ray", "explore", "storage")  # settings that change no result


@dataclass(frozen=True)
class RejectGroup:
    """Images refused at one stage for one reason, with a few of them."""

    stage: str
    reason: str
    count: int
    examples: list[dict[str, Any]]


@dataclass(frozen=True)
class Changes:
    """From an older snapshot to a newer: settings (old, new), artworks come and gone, metrics moved."""

    settings: dict[str, tuple[Any, Any]]
    added: int
    removed: int
    replaced: int
    metrics: list[tuple[str, str, float, float]]  # space, what, old mean, new mean

    def __bool__(self) -> bool:
        return bool(self.settings or self.added or self.removed or self.replaced or self.metrics)


def reject_groups(view: SnapshotView) -> list[RejectGroup]:
    """The rejects by stage and reason, most first."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in view.rejects.to_pylist():
        groups.setdefault((row["stage"], row["reason"]), []).append(row)
    found = [
        RejectGroup(stage, reason, len(rows), rows[:EXAMPLES])
        for (stage, reason), rows in groups.items()
    ]
    return sorted(found, key=lambda group: -group.count)


def flattened(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as `section.key: value`."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def changes(old: SnapshotView, new: SnapshotView) -> Changes:
    """What differs. Settings that decide nothing about the result are left out."""
    before, after = flattened(old.plan.settings), flattened(new.plan.settings)
    keys = [key for key in {**before, **after} if key.split(".")[0] not in UNCOUNTED]
    had, have = _contents(old), _contents(new)
    return Changes(
        settings={
            key: (before.get(key), after.get(key))
            for key in keys
            if before.get(key) != after.get(key)
        },
        added=len(have.keys() - had.keys()),
        removed=len(had.keys() - have.keys()),
        replaced=sum(had[each] != have[each] for each in had.keys() & have.keys()),
        metrics=_moved(old, new),
    )


def _contents(view: SnapshotView) -> dict[str, str]:
    ids = view.catalog["artwork_id"].to_pylist()
    hashes = [view.hashes[int(item)].as_py() for item in view.item_of_artwork]
    return dict(zip(ids, hashes, strict=True))


def _moved(old: SnapshotView, new: SnapshotView) -> list[tuple[str, str, float, float]]:
    def means(view: SnapshotView) -> dict[tuple[str, str, int], float]:
        return {
            (row["space"], row["metric"], row["k"]): row["mean"]
            for row in view.metrics.to_pylist()
            if row["group"] == OVERALL and row["search"] == "exact"
        }

    before, after = means(old), means(new)
    return [
        (space, f"{metric} at k = {k}", before[space, metric, k], mean)
        for (space, metric, k), mean in after.items()
        if (space, metric, k) in before and abs(before[space, metric, k] - mean) >= 5e-5
    ]
