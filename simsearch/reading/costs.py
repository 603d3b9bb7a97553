"""The cost of learned spaces: the time of their training, and their encoder's time per image."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.encoders.trained import trainings_of
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.parts import read_parts


def timings_of(snapshot: Snapshot) -> pa.Table:
    """schemas.TIMINGS of all runs in the snapshot's root, with those of its spaces with a head."""
    return add_heads(read_parts(snapshot.storage, "timings", schemas.TIMINGS), snapshot)


def add_heads(timings: pa.Table, snapshot: Snapshot) -> pa.Table:
    """The timings (schemas.TIMINGS) with rows added for spaces with a head. These have the encoder's times,
    as the time of the head, a matrix product, is negligible."""
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
    """The seconds of each learned space's training, the encoder's and the head's together, by the space's
    name."""
    trainings = trainings_of(snapshot.storage, snapshot.plan().spaces)
    return {
        name: sum(training.seconds for training in of_space) for name, of_space in trainings.items()
    }
