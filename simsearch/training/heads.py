"""Heads fitted to an encoder's stored vectors, with one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.encoders.heads.denoising import fit_denoising
from simsearch.encoders.heads.head import Head
from simsearch.encoders.heads.whitening import fit_whitening
from simsearch.errors import TrainingError
from simsearch.features.vectors import Vectors
from simsearch.training.chosen_whitening import MOST_HELD_OUT, choose_whitening

Losses = tuple[Mapping[str, float], ...]

Tell = Callable[[int], None]
"""Called after each epoch with the number of finished epochs."""


@dataclass(frozen=True)
class LearnedFrom:
    """The data of a fit: `vectors` [n, d] of originals and copies, `artworks` int64 [n] the numbers of
    their artworks, `originals` bool [n] marks the originals."""

    vectors: Vectors
    artworks: npt.NDArray[np.int64]
    originals: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fit:
    """A fitted head, its losses by epoch unless it has a closed form, and how options that the settings
    leave open were chosen."""

    head: Head
    losses: Losses = ()
    chosen: Mapping[str, float] = field(default_factory=dict)


def fit_head(
    name: str, settings: Any, data: LearnedFrom, seed: int, tell: Tell = lambda _: None
) -> Fit:
    """The head called `name`.

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
    """The number of epochs that `fit_head` reports. 0 for a closed form."""
    return int(getattr(settings, "epochs", 0))


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
    head, chosen = choose_whitening(
        data.vectors, data.artworks, data.originals, dimensions=settings.dimensions, seed=seed
    )
    return Fit(head, chosen=chosen)


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


FITS: dict[str, Callable[[str, Any, LearnedFrom, int, Tell], Fit]] = {
    "whitening": _whitening,
    "denoising": _denoising,
    "contrastive": _contrastive,
}
