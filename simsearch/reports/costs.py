"""What spaces that learned cost: their training, and their encoder's time for every image."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.encoders.trained import trainings_of
from simsearch.snapshots.snapshot import Snapshot


def with_heads(timings: pa.Table, snapshot: Snapshot) -> pa.Table:
    """schemas.TIMINGS in which a space with a head has its encoder's: the head's own time, a matrix
    product, does not count beside it."""
    plan, added = snapshot.plan(), []
    for name, made in trainings_of(snapshot.storage, plan.spaces).items():
        for training in made:
            if training.fitted_for is not None:
                own = timings.filter(pc.field("fingerprint") == training.fitted_for)
                named = pa.array([plan.space(name).fingerprint] * own.num_rows, pa.string())
                place = own.schema.get_field_index("fingerprint")
                added.append(own.set_column(place, timings.schema.field("fingerprint"), named))
    return pa.concat_tables([timings, *added])


def training_seconds(snapshot: Snapshot) -> dict[str, float]:
    """What the training of each space that learned took, its encoder's and its head's together."""
    trainings = trainings_of(snapshot.storage, snapshot.plan().spaces)
    return {name: sum(training.seconds for training in made) for name, made in trainings.items()}
