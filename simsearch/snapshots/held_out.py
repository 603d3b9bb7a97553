"""The originals for scores without copies: those that no space of the run learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.encoders.trained import find_seen, trainings_of
from simsearch.snapshots.plan import Plan
from simsearch.storage.storage import Storage

# Fewer originals than this say nothing about labels or hubs.
FEWEST = 10


@dataclass(frozen=True)
class HeldOut:
    """The originals [n] that no space learned from, bool. `learned` says whether any space of the run is
    learned.

    Every space of a run is scored over the same originals, so that a learned space has no advantage over
    the others.
    """

    places: npt.NDArray[np.bool_]
    learned: bool

    @property
    def enough(self) -> bool:
        """Whether there are enough originals to score: at least FEWEST held-out ones, if a space is
        learned."""
        return not self.learned or int(self.places.sum()) >= FEWEST

    @property
    def words(self) -> str:
        """A sentence about the scored originals. Empty if no space is learned."""
        if not self.learned:
            return ""
        count = f"{self.places.sum():,} of {len(self.places):,} artworks"
        if self.enough:
            return (
                f"Every space is asked for the neighbours of the same {count}: those that no space of "
                "this run learned from. Their neighbours may be any artworks."
            )
        return (
            f"Labels, overlap and hubness are left out: no space learned from {count}, and {FEWEST} such "
            "artworks are needed. Raise perturbations.originals: artworks with copies are not learned from."
        )


def find_held_out(storage: Storage, plan: Plan, images: pa.Table) -> HeldOut:
    """The originals among `images` (schemas.IMAGES), in their order, that no space of the plan learned
    from: neither from their id nor from the same picture under another id."""
    originals = images.filter(images["profile"].is_null()).select(["artwork_id", "content_hash"])
    places = np.ones(originals.num_rows, dtype=bool)
    trainings = trainings_of(storage, plan.spaces)
    for of_space in trainings.values():
        for training in of_space:
            places &= ~find_seen(storage, training, originals)
    return HeldOut(places, bool(trainings))
