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
    """What a training came to: its last losses, how its options were chosen, and what became of the copies of
    held-out works."""
    last = training.losses[-1] if training.losses else {}
    parts = [
        f"{loss_name(name)} {value:,.3g}"
        for name, value in last.items()
        if name not in ("epoch", "seconds")
    ]
    if training.chosen:
        parts = (
            [*parts, *_judgement(training)] if training.chosen["changed"] else _judgement(training)
        )
    return ", ".join(parts) or "closed form"


def _judgement(training: Training) -> list[str]:
    chosen = training.chosen
    works = f"{chosen['held_out']:,.0f} held-out works"
    without = f"{chosen['encoder_micro_ap']:.3f} without"
    if not chosen["changed"]:
        projected = training.settings["of"].get("dimensions") is not None
        done = "only a projection" if projected else "no change"
        if not chosen["judged"]:
            return [f"{done}: {works} are too few to judge it by"]
        return [
            f"{done}: copies of {works} were not clearly easier to find with it (µAP {without})"
        ]
    options = [f"{name} {chosen[name]:g}" for name in ("power", "shrinkage") if name in chosen]
    return [*options, f"µAP {chosen['micro_ap']:.3f} of the copies of {works}, {without}"]
