"""The networks of a snapshot and their indexes, for the report, the explorer and the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simsearch.features.space import FeatureSpace
from simsearch.indexes.index import IndexManifest, read_manifest
from simsearch.snapshots.snapshot import Snapshot


@dataclass(frozen=True)
class IndexedNetwork:
    """A space, the `reason` for its precision, and its index."""

    space: FeatureSpace
    reason: str
    index: IndexManifest


def indexed_networks(
    snapshot: Snapshot, names: Iterable[str] | None = None
) -> list[IndexedNetwork]:
    """The spaces of a snapshot that have the `names`, in their order; all in the plan's order if `names` is
    None."""
    plan = snapshot.plan()
    spaces = plan.spaces if names is None else [plan.space(name) for name in names]
    return [
        IndexedNetwork(
            space,
            plan.precision_reasons.get(space.name, "as its parts have it" if space.parts else ""),
            read_manifest(snapshot.storage, snapshot.index_folder(space.name)),
        )
        for space in spaces
    ]


def exact_spaces(snapshot: Snapshot, names: Iterable[str] | None = None) -> list[str]:
    """The names of those whose index compares all vectors at the evaluated depth."""
    networks = indexed_networks(snapshot, names)
    return [network.space.name for network in networks if network.index.exact]
