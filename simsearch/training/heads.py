"""Heads fitted to an encoder's stored vectors, with one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.encoders.heads.denoising import fit_denoising
from simsearch.encoders.heads.head import Head
from simsearch.encoders.heads.whitening import fit_whitening
from simsearch.errors import TrainingError
from simsearch.features.vectors import Vectors

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


def fit_head(
    name: str, settings: Any, data: LearnedFrom, seed: int, tell: Tell = lambda _: None
) -> tuple[Head, Losses]:
    """The head called `name`, and its losses by epoch unless it has a closed form.

    Raises TrainingError for a loss that is not finite, for too few artworks with copies, and for originals
    that all have the same vector.
    """
    head, losses = FITS[settings.kind](name, settings, data, seed, tell)
    if not head.dimension:
        raise TrainingError(
            f"heads.{name}: its encoder gives every picture the same vector, so that there is nothing "
            "to learn; name another encoder"
        )
    return head, losses


def epochs(settings: Any) -> int:
    """The number of epochs that `fit_head` reports. 0 for a closed form."""
    return int(getattr(settings, "epochs", 0))


def _whitening(
    _name: str, settings: Any, data: LearnedFrom, _seed: int, _tell: Tell
) -> tuple[Head, Losses]:
    options = {"dimensions": settings.dimensions, "power": settings.power}
    return fit_whitening(data.vectors[data.originals], **options), ()


def _denoising(
    _name: str, settings: Any, data: LearnedFrom, _seed: int, _tell: Tell
) -> tuple[Head, Losses]:
    copies = np.flatnonzero(~data.originals)
    place = np.empty(data.artworks.max() + 1, dtype=np.int64)
    place[data.artworks[data.originals]] = np.flatnonzero(data.originals)
    originals = place[data.artworks[copies]]
    fitted = fit_denoising(data.vectors[copies], data.vectors[originals], ridge=settings.ridge)
    return fitted, ()


def _contrastive(
    name: str, settings: Any, data: LearnedFrom, seed: int, tell: Tell
) -> tuple[Head, Losses]:
    # Imported here, not above: the closed forms need no PyTorch.
    from simsearch.training.contrastive import fit_contrastive

    return fit_contrastive(
        data.vectors, data.artworks, data.originals, settings, name=name, seed=seed, tell=tell
    )


NEED_NO_COPIES = ("whitening",)

FITS: dict[str, Callable[[str, Any, LearnedFrom, int, Tell], tuple[Head, Losses]]] = {
    "whitening": _whitening,
    "denoising": _denoising,
    "contrastive": _contrastive,
}
