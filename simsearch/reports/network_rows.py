"""The report's table of networks and indexes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simsearch.features.collapse import find_collapsed
from simsearch.reading.costs import timings_of
from simsearch.reading.networks import IndexedNetwork, indexed_networks
from simsearch.reports.conclusion import ran_on
from simsearch.snapshots.snapshot import Snapshot


@dataclass(frozen=True)
class NetworkRow:
    """A space and its index. `judged`: it has a say in near-duplicates. `deeper` is the recall of longer
    answers by the number of images asked for; `search_k` is None where the index compares all vectors."""

    name: str
    trained: bool
    layer: str
    dimension: int
    components: int | None
    weights_source: str
    weights_digest: str
    preprocessing: str
    mode: str
    precision: str
    precision_reason: str
    ran_on: str
    recall: float
    deeper: Mapping[int, str]
    search_k: int | None
    judged: bool


def network_rows(snapshot: Snapshot) -> list[NetworkRow]:
    timings = timings_of(snapshot)
    rows = []
    reasons = find_collapsed(snapshot.storage.read_table(snapshot.metrics_path))
    for network in indexed_networks(snapshot):
        space, manifest = network.space, network.index
        rows.append(
            NetworkRow(
                name=space.name,
                trained=space.trained,
                layer=space.layer,
                dimension=space.dimension,
                components=manifest.components,
                weights_source=space.weights_source,
                weights_digest=space.weights_digest,
                preprocessing=space.preprocessing_words,
                mode=space.mode,
                precision=space.precision,
                precision_reason=network.reason,
                ran_on=ran_on(timings, space.fingerprint),
                recall=1.0 if manifest.exact else manifest.recall,
                deeper=_recalls_deeper(network),
                search_k=None if manifest.exact else manifest.search_k,
                judged=space.trained and space.name not in reasons,
            )
        )
    return rows


def _recalls_deeper(network: IndexedNetwork) -> dict[int, str]:
    """The index's recall for more than `neighbours` images, in words, by the number of images."""
    manifest = network.index
    deeper = {
        int(n): share for n, share in manifest.recalls.items() if int(n) > manifest.neighbours
    }
    return {
        n: "exact" if manifest.exact_for(n + 1) else f"{share:.4f}" for n, share in deeper.items()
    }
