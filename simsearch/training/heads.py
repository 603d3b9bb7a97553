"""Heads fitted to an encoder's stored vectors, with one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simsearch.encoders.heads.denoising import fit_denoising
from simsearch.encoders.heads.head import Head
from simsearch.encoders.heads.whitening import fit_whitening
from simsearch.errors import TrainingError
from simsearch.training.chosen_whitening import choose_whitening
from simsearch.training.judging import MOST_HELD_OUT, HeadTrial, LearnedFrom, unchanged

Losses = tuple[Mapping[str, float], ...]

Tell = Callable[[int], None]
"""Called after each epoch with the number of finished epochs."""


@dataclass(frozen=True)
class Fit:
    """A fitted head, its losses by epoch unless it has a closed form, and how it was judged and options that
    the settings leave open were chosen (`HeadTrial.judge`)."""

    head: Head
    losses: Losses = ()
    chosen: Mapping[str, float] = field(default_factory=dict)


FitFunction = Callable[[str, Any, LearnedFrom, int, Tell], Fit]


def fit_head(
    name: str, settings: Any, data: LearnedFrom, seed: int, tell: Tell = lambda _: None
) -> Fit:
    """The head called `name`. It is one that leaves the encoder's vectors as they are, unless it finds copies of
    works that it was not fitted to clearly better.

    Raises TrainingError for a loss that is not finite, for too few artworks with copies, and for originals
    that all have the same vector.
    """
    fit = FITS[settings.kind](name, settings, data, seed, tell)
    if not fit.head.dimension:
        raise TrainingError(
            f"heads.{name}: its encoder gives every picture the same vector, so that there is nothing "
            "to learn; name another encoder"
        )
    return fit


def epochs(settings: Any) -> int:
    """The number of epochs that `fit_head` reports, for the judged fit and for the last. 0 for a closed form."""
    return 2 * int(getattr(settings, "epochs", 0))


def copied_artworks(settings: Any, most: int | None) -> int | None:
    """The number of artworks whose copies a fit with `settings` needs, None for all. `most` is the setting
    train.originals."""
    if settings.kind != "whitening":
        return most
    if settings.power != "auto":
        return 0
    return MOST_HELD_OUT if most is None else min(most, MOST_HELD_OUT)


def _whitening(_name: str, settings: Any, data: LearnedFrom, seed: int, _tell: Tell) -> Fit:
    if settings.power != "auto":
        options = {"dimensions": settings.dimensions, "power": settings.power}
        return Fit(fit_whitening(data.vectors[data.originals], **options))
    head, chosen = choose_whitening(data, dimensions=settings.dimensions, seed=seed)
    return Fit(head, chosen=chosen)


def _judged(fit: FitFunction) -> FitFunction:
    """`fit`, if it serves works and changes that it was not fitted to. It is fitted without a third of the works
    that have copies and without half of the profiles, judged by both, and fitted again to all."""

    def judged(name: str, settings: Any, data: LearnedFrom, seed: int, tell: Tell) -> Fit:
        held = data.hold_out(len(data.copied) // 3, seed)
        seen, unseen = data.halves()
        trial = fit(name, settings, seen.without(held), seed, tell)
        if not trial.head.dimension:
            return trial
        plain = unchanged(data.vectors[data.originals], getattr(settings, "dimensions", None))
        better, figures = HeadTrial.of(unseen, held).judge(plain, trial.head)
        if not better:
            return Fit(plain, trial.losses, figures)
        done = len(trial.losses)
        whole = fit(name, settings, data, seed, lambda epoch: tell(done + epoch))
        return replace(whole, chosen=figures)

    return judged


def _denoising(_name: str, settings: Any, data: LearnedFrom, _seed: int, _tell: Tell) -> Fit:
    copies = np.flatnonzero(~data.originals)
    place = np.empty(data.artworks.max() + 1, dtype=np.int64)
    place[data.artworks[data.originals]] = np.flatnonzero(data.originals)
    originals = place[data.artworks[copies]]
    return Fit(fit_denoising(data.vectors[copies], data.vectors[originals], ridge=settings.ridge))


def _contrastive(name: str, settings: Any, data: LearnedFrom, seed: int, tell: Tell) -> Fit:
    # Imported here, not above: the closed forms need no PyTorch.
    from simsearch.training.contrastive import fit_contrastive

    head, losses = fit_contrastive(
        data.vectors, data.artworks, data.originals, settings, name=name, seed=seed, tell=tell
    )
    return Fit(head, losses)


FITS: dict[str, FitFunction] = {
    "whitening": _whitening,
    "denoising": _judged(_denoising),
    "contrastive": _judged(_contrastive),
}
