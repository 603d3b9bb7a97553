"""The paths of all files in a snapshot's folder. No other module spells these paths.

All Parquet files of a folder have the same columns, so that other tools can read the folder as one
table.
"""

from __future__ import annotations

from dataclasses import dataclass

SNAPSHOTS = "snapshots"
SEARCHES = ("annoy", "exact")
"""The searches whose neighbours and scores are stored side by side."""
ORIGINALS = "originals"
"""Names the neighbours of originals among originals, copies left out, by exact search."""


@dataclass(frozen=True)
class SnapshotLayout:
    """The paths of one snapshot, relative to the storage root."""

    snapshot_id: str

    @property
    def folder(self) -> str:
        return f"{SNAPSHOTS}/{self.snapshot_id}"

    def path(self, name: str) -> str:
        """The path of a file that the manifest lists by `name`, relative to the snapshot's folder."""
        return f"{self.folder}/{name}"

    @property
    def plan_path(self) -> str:
        return self.path("plan.json")

    @property
    def images_path(self) -> str:
        return self.path("images/images.parquet")

    @property
    def verdicts_path(self) -> str:
        """The path of what people had said of pairs of its pictures when the snapshot was planned."""
        return self.path("verdicts/verdicts.parquet")

    @property
    def rejects_path(self) -> str:
        return self.path("rejects/rejects.parquet")

    @property
    def manifest_path(self) -> str:
        return self.path("manifest.json")

    def index_folder(self, space: str) -> str:
        return self.path(f"indexes/{space}")

    def index_manifest_path(self, space: str) -> str:
        return f"{self.index_folder(space)}/manifest.json"

    def neighbours_path(self, space: str, search: str) -> str:
        return self.path(f"neighbours/{space}.{search}.parquet")

    def lists_path(self, space: str, among: str) -> str:
        """The path of a space's neighbour lists, from which the next snapshot's lists are made. `among` is
        `images` (all of them) or `originals`."""
        return self.path(f"lists/{among}/{space}.parquet")

    @property
    def metrics_path(self) -> str:
        return self.path("metrics/metrics.parquet")

    @property
    def scores_path(self) -> str:
        return self.path("scores/scores.parquet")

    @property
    def comparisons_path(self) -> str:
        return self.path("comparisons/comparisons.parquet")

    @property
    def near_duplicates_path(self) -> str:
        return self.path("near_duplicates/near_duplicates.parquet")

    @property
    def chance_path(self) -> str:
        """The path of what geometry expects of chance."""
        return self.path("chance/chance.parquet")

    @property
    def unseen_path(self) -> str:
        """The path of the artworks in whose pictures geometry sees nothing."""
        return self.path("unseen/unseen.parquet")

    @property
    def confusers_path(self) -> str:
        """The path of the regions that return at the same place in many pictures."""
        return self.path("confusers/confusers.parquet")

    @property
    def spreads_path(self) -> str:
        """The path of the metrics that say how well each space distinguishes pictures."""
        return self.path("spreads/spreads.parquet")

    def projection_path(self, space: str, method: str) -> str:
        return self.path(f"projection/{space}-{method}.parquet")

    @property
    def report_path(self) -> str:
        return self.path("report/report.html")
