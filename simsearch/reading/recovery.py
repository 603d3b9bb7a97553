"""Recovery of copies: the means that charts draw, and the originals whose copies are missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simsearch.evaluation.metrics import RANKING_METRICS, STUDY_METRICS
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.view import SnapshotView

METRIC_WORDS = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "recall_curve": "Recall of whole rankings",
    **RANKING_METRICS,
}
OVERALL = "all"


@dataclass(frozen=True)
class MeanScore:
    """A mean over `n` originals with its 95 % interval and the ceiling of a perfect search."""

    space: str
    group: str
    metric: str
    k: int
    mean: float
    low: float
    high: float
    std: float
    ceiling: float
    n: int

    @property
    def words(self) -> str:
        return (
            f"{self.mean:.4f}, 95 % interval {self.low:.4f} to {self.high:.4f}, "
            f"ceiling {self.ceiling:.4f}, {self.n:,} originals"
        )


@dataclass(frozen=True)
class Missed:
    """An original with copies that were not among its k nearest: their `profiles` and ranks (None: not among
    the stored neighbours), and the angular distance of the farthest."""

    artwork: ViewArtwork
    profiles: tuple[tuple[str, int | None], ...]
    distance: float


class Recovery:
    """A snapshot's metrics, ready to be drawn."""

    def __init__(self, view: SnapshotView) -> None:
        self._view = view
        self._rows = {
            (row["search"], row["space"], row["scope"], row["metric"], row["k"]): MeanScore(
                row["space"],
                row["scope"],
                row["metric"],
                row["k"],
                row["mean"],
                row["ci_low"],
                row["ci_high"],
                row["std"],
                row["ceiling"],
                row["n"],
            )
            for row in view.metrics.to_pylist()
        }
        self.ks = self._ks(STUDY_METRICS[0])
        against_k = (*STUDY_METRICS, "recall_curve")
        self.metrics = {name: METRIC_WORDS[name] for name in against_k if self._ks(name)}
        present = {key[2] for key in self._rows}
        self.groups = tuple(profile for profile in view.profiles if profile in present)

    def _ks(self, metric: str) -> tuple[int, ...]:
        return tuple(sorted({key[4] for key in self._rows if key[2:4] == (OVERALL, metric)}))

    def get(self, search: str, space: str, group: str, metric: str, k: int) -> MeanScore | None:
        return self._rows.get((search, space, group, metric, k))

    def overall(self, search: str, metric: str) -> dict[str, list[MeanScore]]:
        """The metric of each space, at every k at which it was measured."""
        ks = self._ks(metric)
        return {
            space: line
            for space in self._view.spaces
            if (
                line := [
                    score for k in ks if (score := self.get(search, space, OVERALL, metric, k))
                ]
            )
        }

    def of_rankings(self, search: str) -> dict[str, list[MeanScore]]:
        """The scores of whole rankings over all copies, by their names, with an entry per space."""
        entries_of = {
            words: [score for line in self.overall(search, name).values() for score in line]
            for name, words in RANKING_METRICS.items()
        }
        return {words: entries for words, entries in entries_of.items() if entries}

    def by_profile(self, search: str, k: int) -> dict[str, list[MeanScore]]:
        """The recovered share at k of each profile, with an entry per space."""
        return {
            group: [
                score
                for space in self._view.spaces
                if (score := self.get(search, space, group, "recovered", k))
            ]
            for group in self.groups
        }


def find_missed(
    view: SnapshotView, space: str, k: int, profile: str | None
) -> list[tuple[int, float]]:
    """The artworks whose copies (of one profile, or any) are not among the k exact nearest.

    Each is a number with the distance of the farthest missed copy. Artworks with most missed copies come
    first, then those with the farthest one.
    """
    ranks = view.copy_ranks(space).copy()
    if profile is not None:
        others = [place for place, name in enumerate(view.profiles) if name != profile]
        ranks[:, others] = -1
    lost = (ranks == 0) | (ranks > k)
    numbers = np.flatnonzero(lost.any(axis=1))
    rows, places = np.nonzero(lost[numbers])
    lost_distances = view.index(space).distances(
        view.item_of_artwork[numbers[rows]], view.copies[numbers[rows], places]
    )
    distances = np.zeros(len(numbers))
    np.maximum.at(distances, rows, lost_distances)
    order = np.lexsort((-distances, -lost[numbers].sum(axis=1)))
    return [(int(numbers[place]), float(distances[place])) for place in order]


def missed_page(
    view: SnapshotView,
    space: str,
    k: int,
    profile: str | None,
    entries: Sequence[tuple[int, float]],
) -> list[Missed]:
    """Some entries of `find_missed` for a page, with the missed copies and their ranks."""
    ranks = view.copy_ranks(space)
    page = []
    for number, distance in entries:
        lost = tuple(
            (name, int(rank) or None)
            for name, rank in zip(view.profiles, ranks[number], strict=True)
            if (rank == 0 or rank > k) and profile in (None, name)
        )
        page.append(Missed(view.artwork_at(number), lost, distance))
    return page


def recovered_shares(view: SnapshotView, space: str) -> list[float | None]:
    """The share of each artwork's copies that are among its stored exact neighbours. None: no copies."""
    ranks = view.copy_ranks(space)
    copies, recovered = (ranks >= 0).sum(axis=1), (ranks > 0).sum(axis=1)
    return [float(f / m) if m else None for f, m in zip(recovered, copies, strict=True)]


def metric_word(metric: str) -> str:
    return METRIC_WORDS.get(metric, metric)
