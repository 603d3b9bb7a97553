"""Whether a head finds copies better than the encoder's own vectors do, judged by works that the head was
not fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from simsearch.encoders.heads.head import Head, Layer
from simsearch.encoders.heads.whitening import fit_whitening
from simsearch.features.vectors import Vectors, unit_rows

Items = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_HELD_OUT = (
    300  # works: their copies decide well enough, and each costs a pass through the network
)
LEAST_HELD_OUT = 20  # works: by ten, a head that made other works harder to find was better
PARTS = 10  # of the held-out works, for the standard error


@dataclass(frozen=True)
class LearnedFrom:
    """The data of a fit: `vectors` [n, d] of originals and copies, `artworks` int64 [n] the numbers of
    their artworks, and `profiles` int64 [n] those of the copies' profiles from 1 on, 0 for an original."""

    vectors: Vectors
    artworks: Items
    profiles: Items

    @property
    def originals(self) -> Bools:
        """Marks the originals [n]."""
        return np.asarray(self.profiles == 0)

    @property
    def copied(self) -> Items:
        """The numbers of the artworks that have copies, ascending."""
        return np.unique(self.artworks[~self.originals])

    def select(self, kept: Bools) -> LearnedFrom:
        """The vectors at `kept` [n]."""
        return LearnedFrom(self.vectors[kept], self.artworks[kept], self.profiles[kept])

    def without(self, artworks: Items) -> LearnedFrom:
        """All but the vectors of the `artworks`."""
        return self.select(~np.isin(self.artworks, artworks))

    def halves(self) -> tuple[LearnedFrom, LearnedFrom]:
        """All originals with the copies of every second profile, and with those of the others. Where there is
        one profile, both are the whole."""
        if self.profiles.max(initial=0) < 2:
            return self, self
        even = self.profiles % 2 == 0
        return self.select(self.originals | ~even), self.select(even)

    def hold_out(self, count: int, seed: int) -> Items:
        """The numbers of `count` artworks that have copies, MOST_HELD_OUT at most, drawn by `seed`."""
        return np.random.default_rng(seed).permutation(self.copied)[: min(count, MOST_HELD_OUT)]


def unchanged(vectors: Vectors, dimensions: int | None) -> Head:
    """The head that keeps an encoder's vectors [n, d]. With `dimensions` it projects them on so many of their
    principal components."""
    if dimensions is not None:
        return fit_whitening(vectors, dimensions=dimensions, power=0.0)
    width = vectors.shape[1]
    return Head((Layer(np.eye(width, dtype=np.float32), np.zeros(width, np.float32)),))


@dataclass(frozen=True)
class HeadTrial:
    """Held-out `originals` [h, d], their `copies` [c, d], and the place of each copy's original [c]."""

    originals: Vectors
    copies: Vectors
    owners: Items

    @classmethod
    def of(cls, data: LearnedFrom, held: Items) -> HeadTrial:
        """The trial by the artworks of the numbers `held`."""
        among = np.isin(data.artworks, held)
        first, copies = among & data.originals, among & ~data.originals
        by_artwork = np.argsort(data.artworks[first], kind="stable")
        owners = np.searchsorted(np.sort(held), data.artworks[copies])
        return cls(data.vectors[first][by_artwork], data.vectors[copies], owners)

    def score(self, head: Head) -> float:
        """The µAP of the copies in the space that `head` makes: over all pairs of a copy and an original,
        ranked by cosine."""
        return self._micro_ap(self._cosines(head), np.ones(len(self.originals), dtype=bool))

    def judge(self, plain: Head, head: Head) -> tuple[bool, Mapping[str, float]]:
        """Whether `head` is better than `plain` by more than a standard error, judged by LEAST_HELD_OUT works or
        more, and the figures for the record."""
        own, score = self.score(plain), self.score(head)
        enough = len(self.originals) >= LEAST_HELD_OUT
        better = enough and score - own > self._error_of_gain(plain, head)
        return better, {
            "held_out": len(self.originals),
            "encoder_micro_ap": own,
            "micro_ap": score if better else own,
            "changed": float(better),
            "judged": float(enough),
        }

    def _error_of_gain(self, first: Head, second: Head) -> float:
        """The standard error of the second head's µAP less the first's: the jackknife over PARTS of the
        works."""
        cosines = self._cosines(first), self._cosines(second)
        gains = []
        for part in range(PARTS):
            kept = np.arange(len(self.originals)) % PARTS != part
            before, after = (self._micro_ap(space, kept) for space in cosines)
            gains.append(after - before)
        return float(np.sqrt((PARTS - 1) * np.var(gains)))

    def _cosines(self, head: Head) -> Vectors:
        return unit_rows(head(self.copies)) @ unit_rows(head(self.originals)).T

    def _micro_ap(self, cosines: Vectors, kept: Bools) -> float:
        """µAP over the pairs of the originals at `kept` [h] and their copies."""
        copies = kept[self.owners]
        if not copies.any():
            return 0.0
        pairs = cosines[copies][:, kept]
        own = self.owners[copies][:, None] == np.flatnonzero(kept)
        return float(average_precision_score(own.ravel(), pairs.ravel()))
