"""Which originals scores without copies are taken over: those that no space of the run learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.encoders.trained import find_seen, trainings_of
from simsearch.snapshots.plan import Plan
from simsearch.storage.storage import Storage

# Fewer originals than these say nothing about labels or hubs.
FEWEST = 10


@dataclass(frozen=True)
class HeldOut:
    """Which originals [n] no space learned from, bool; `learned`: whether any space of the run did learn.

    Every space of a run is scored over the same originals, so that a learned one is not flattered
    beside those that it is compared with.
    """

    places: npt.NDArray[np.bool_]
    learned: bool

    @property
    def enough(self) -> bool:
        """Whether scores are taken: where spaces learned, at least FEWEST originals must be held out."""
        return not self.learned or int(self.places.sum()) >= FEWEST

    @property
    def words(self) -> str:
        """The originals that are asked for, in a sentence; empty where no space learned."""
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


def held_out(storage: Storage, plan: Plan, images: pa.Table) -> HeldOut:
    """The originals among `images` (schemas.IMAGES), in their order, that no space of the plan learned
    from, by their id or by the same picture under another."""
    originals = images.filter(images["profile"].is_null()).select(["artwork_id", "content_hash"])
    places = np.ones(originals.num_rows, dtype=bool)
    trainings = trainings_of(storage, plan.spaces)
    for of_space in trainings.values():
        for training in of_space:
            places &= ~find_seen(storage, training, originals)
    return HeldOut(places, bool(trainings))
