"""A training described in words, for the report and the explorer; Matplotlib is not imported."""

from __future__ import annotations

from dataclasses import dataclass

from simsearch.encoders.trained import Training
from simsearch.runtime.progress import duration

EXAMPLE_ROWS = {
    "originals": "original",
    "made": "made again",
    "copies": "perturbed",
    "mended": "made of it",
}
"""What the pictures of an autoencoder show, by the name they are stored under."""


LOSS_NAMES = {
    "info_nce": "contrast (InfoNCE)",
    "koleo": "spread (KoLeo)",
    "active_units": "numbers in use",
}


def loss_name(name: str) -> str:
    """What to call a training's loss, or another figure of its epochs, on a page."""
    return LOSS_NAMES.get(name, name.replace("_", " "))


@dataclass(frozen=True)
class TrainingRow:
    """A training in words and numbers. `seen` counts the measured artworks that it learned from;
    `active`, of `dimension` numbers those in use, is None where that was not counted."""

    space: str
    name: str
    kind: str
    artworks: int
    images: int
    held_out: str
    profiles: str
    seen: int
    cost: str
    losses: str
    active: float | None
    dimension: int


def training_row(space: str, training: Training, seen: int) -> TrainingRow:
    """The row of a training in the table of learned spaces."""
    last = training.losses[-1] if training.losses else {}
    held = (f"{count:,} {reason}" for reason, count in training.held_out.items() if count)
    return TrainingRow(
        space=space,
        name=training.name,
        kind=training.settings["of"]["kind"],
        artworks=training.artworks,
        images=training.images,
        held_out=", ".join(held) or "none",
        profiles=", ".join(training.profiles) if training.images > training.artworks else "–",
        seen=seen,
        cost=f"{duration(training.seconds)} ({training.device})",
        losses=", ".join(
            f"{loss_name(name)} {value:,.3g}"
            for name, value in last.items()
            if name not in ("epoch", "seconds")
        )
        or "closed form",
        active=last.get("active_units"),
        dimension=training.dimension,
    )
