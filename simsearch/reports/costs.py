"""The cost of spaces that learned: the time of their training, and that of their encoder per image."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.encoders.trained import trainings_of
from simsearch.snapshots.snapshot import Snapshot


def with_heads(timings: pa.Table, snapshot: Snapshot) -> pa.Table:
    """The timings (schemas.TIMINGS) with rows added for spaces that have a head: they are given their
    encoder's, because the head's own time, a matrix product, is negligible beside it."""
    plan, added = snapshot.plan(), []
    for name, trainings in trainings_of(snapshot.storage, plan.spaces).items():
        for training in trainings:
            if training.fitted_for is not None:
                own = timings.filter(pc.field("fingerprint") == training.fitted_for)
                named = pa.array([plan.space(name).fingerprint] * own.num_rows, pa.string())
                place = own.schema.get_field_index("fingerprint")
                added.append(own.set_column(place, timings.schema.field("fingerprint"), named))
    return pa.concat_tables([timings, *added])


def training_seconds(snapshot: Snapshot) -> dict[str, float]:
    """The seconds that the training of each space that learned took, its encoder's and its head's
    together, by the space's name."""
    trainings = trainings_of(snapshot.storage, snapshot.plan().spaces)
    return {
        name: sum(training.seconds for training in of_space) for name, of_space in trainings.items()
    }
