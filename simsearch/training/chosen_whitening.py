"""The whitening of a collection that finds copies best, chosen on works that it was not fitted to.

How far to whiten depends on the encoder and on how many works there are to learn from: a full whitening of
few works makes a good encoder worse. So each candidate is fitted to one part of the works to learn from and
scored on the copies of the others. What serves there is fitted again to all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from simsearch.encoders.heads.head import Head, Layer
from simsearch.encoders.heads.whitening import Spectrum
from simsearch.features.vectors import Vectors, unit_rows

Items = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_HELD_OUT = (
    300  # works: their copies decide well enough, and each costs a pass through the network
)
SHARE_HELD_OUT = 1 / 3
POWERS = (0.25, 0.5, 0.75, 1.0)
SHRINKAGES = (0.0, 0.1, 0.3, 0.5, 0.7)
SHARES_KEPT = (1.0, 0.5)  # of the encoder's dimension
PARTS = 10  # of the held-out works, for the standard error


def choose_whitening(
    vectors: Vectors,
    artworks: Items,
    originals: Bools,
    *,
    dimensions: int | None,
    seed: int,
) -> tuple[Head, Mapping[str, float]]:
    """The whitening of the originals among `vectors` float32 [n, d] that finds copies best, and how it was
    chosen.

    `artworks` int64 [n] are the numbers of the vectors' artworks, `originals` bool [n] marks the originals.
    Candidates are scored by µAP over all pairs of a held-out copy and a held-out original, ranked by cosine.
    The best is taken if it beats the encoder's own vectors by more than a standard error. Otherwise the
    head is the identity, or with `dimensions` the projection on so many principal components.
    """
    held = _hold_out(artworks, originals, seed)
    fitted = Spectrum.of(vectors[originals & ~np.isin(artworks, held)])
    whole = Spectrum.of(vectors[originals])
    if not fitted.rank:  # all vectors are the same
        return whole.whitening(dimensions=dimensions, power=1.0, shrinkage=0.0), {}
    trial = _Trial.of(vectors, artworks, originals, held)
    plain = _plain(fitted, dimensions)
    own = trial.score(plain)
    best = max(
        _candidates(vectors.shape[1], dimensions),
        key=lambda candidate: trial.score(candidate.of(fitted)),
    )
    score, error = trial.score(best.of(fitted)), trial.error_of_gain(plain, best.of(fitted))
    chosen = {"held_out": len(held), "encoder_micro_ap": own}
    if score - own <= error:
        return _plain(whole, dimensions), {**chosen, "power": 0.0, "micro_ap": own}
    return best.of(whole), {**chosen, **asdict(best), "micro_ap": score}


@dataclass(frozen=True)
class _Candidate:
    dimensions: int
    power: float
    shrinkage: float

    def of(self, spectrum: Spectrum) -> Head:
        return spectrum.whitening(**asdict(self))


def _candidates(dimension: int, wanted: int | None) -> list[_Candidate]:
    kept = (max(1, round(share * dimension)) for share in SHARES_KEPT)
    dimensions = tuple(dict.fromkeys(kept)) if wanted is None else (wanted,)
    return [_Candidate(*options) for options in product(dimensions, POWERS, SHRINKAGES)]


def _plain(spectrum: Spectrum, dimensions: int | None) -> Head:
    if dimensions is not None:
        return spectrum.whitening(dimensions=dimensions, power=0.0, shrinkage=0.0)
    width = len(spectrum.mean)
    return Head((Layer(np.eye(width, dtype=np.float32), np.zeros(width, np.float32)),))


def _hold_out(artworks: Items, originals: Bools, seed: int) -> Items:
    """The numbers of the artworks whose copies judge: a seeded sample of those that have copies."""
    copied = np.unique(artworks[~originals])
    count = min(len(copied), int(SHARE_HELD_OUT * originals.sum()), MOST_HELD_OUT)
    return np.random.default_rng(seed).permutation(copied)[:count]


@dataclass(frozen=True)
class _Trial:
    """Held-out `originals` [h, d], their `copies` [c, d], and the place of each copy's original [c]."""

    originals: Vectors
    copies: Vectors
    owners: Items

    @classmethod
    def of(cls, vectors: Vectors, artworks: Items, originals: Bools, held: Items) -> _Trial:
        among = np.isin(artworks, held)
        asked = np.sort(held)
        first, copies = among & originals, among & ~originals
        by_artwork = np.argsort(artworks[first], kind="stable")
        owners = np.searchsorted(asked, artworks[copies])
        return cls(vectors[first][by_artwork], vectors[copies], owners)

    def score(self, head: Head) -> float:
        """The µAP of the copies in the space that `head` makes."""
        return self._micro_ap(self._cosines(head), np.ones(len(self.originals), dtype=bool))

    def error_of_gain(self, first: Head, second: Head) -> float:
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
