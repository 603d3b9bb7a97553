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
        losses=_end_of(training),
        active=last.get("active_units"),
        dimension=training.dimension,
    )


def _end_of(training: Training) -> str:
    """What a training came to: its last losses, or how the options of a closed form were chosen."""
    if training.losses:
        return ", ".join(
            f"{loss_name(name)} {value:,.3g}"
            for name, value in training.losses[-1].items()
            if name not in ("epoch", "seconds")
        )
    if not training.chosen:
        return "closed form"
    chosen = training.chosen
    works = f"{chosen['held_out']:,.0f} held-out works"
    if not chosen["power"]:
        done = "no change" if training.settings["of"]["dimensions"] is None else "no whitening"
        return (
            f"{done}: none made the copies of {works} clearly easier to find (µAP "
            f"{chosen['encoder_micro_ap']:.3f} without)"
        )
    return (
        f"power {chosen['power']:g}, shrinkage {chosen['shrinkage']:g}: µAP {chosen['micro_ap']:.3f} of the "
        f"copies of {works}, {chosen['encoder_micro_ap']:.3f} without"
    )
