"""The whitening of a collection that finds copies best, chosen on works that it was not fitted to.

How far to whiten depends on the encoder and on how many works there are to learn from: a full whitening of
few works makes a good encoder worse. So each candidate is fitted to one part of the works to learn from and
scored on the copies of the others. What serves there is fitted again to all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product

from simsearch.encoders.heads.head import Head
from simsearch.encoders.heads.whitening import Spectrum, fit_whitening
from simsearch.training.judging import HeadTrial, LearnedFrom, unchanged

SHARE_HELD_OUT = 1 / 3
POWERS = (0.25, 0.5, 0.75, 1.0)
SHRINKAGES = (0.0, 0.1, 0.3, 0.5, 0.7)
SHARES_KEPT = (1.0, 0.5)  # of the encoder's dimension


@dataclass(frozen=True)
class _Candidate:
    dimensions: int
    power: float
    shrinkage: float

    def of(self, spectrum: Spectrum) -> Head:
        return spectrum.whitening(**asdict(self))


def choose_whitening(
    data: LearnedFrom, *, dimensions: int | None, seed: int
) -> tuple[Head, Mapping[str, float]]:
    """The whitening of the originals that finds copies best, and how it was chosen.

    Candidates are scored by the µAP of held-out copies (`HeadTrial`). The best is taken if it beats the
    encoder's own vectors by more than a standard error. Otherwise the head is the identity, or with
    `dimensions` the projection on so many principal components.
    """
    held = data.hold_out(int(SHARE_HELD_OUT * data.originals.sum()), seed)
    rest = data.without(held)
    part, whole = rest.vectors[rest.originals], data.vectors[data.originals]
    fitted = Spectrum.of(part)
    if not fitted.rank:  # all vectors are the same
        return fit_whitening(whole, dimensions=dimensions, power=1.0), {}
    trial = HeadTrial.of(data, held)
    best = max(
        _candidates(data.vectors.shape[1], dimensions),
        key=lambda candidate: trial.score(candidate.of(fitted)),
    )
    better, figures = trial.judge(unchanged(part, dimensions), best.of(fitted))
    if not better:
        return unchanged(whole, dimensions), figures
    return best.of(Spectrum.of(whole)), {**figures, **asdict(best)}


def _candidates(dimension: int, wanted: int | None) -> list[_Candidate]:
    kept = (max(1, round(share * dimension)) for share in SHARES_KEPT)
    dimensions = tuple(dict.fromkeys(kept)) if wanted is None else (wanted,)
    return [_Candidate(*options) for options in product(dimensions, POWERS, SHRINKAGES)]
