"""A run may have any number of feature spaces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.catalog.readers.generated import image_bytes
from simsearch.extraction.batches import Batch
from simsearch.extraction.counter import LocalCounter
from simsearch.extraction.decode import DecodeSettings, decode_batch
from simsearch.extraction.missing import Missing
from simsearch.extraction.write import write_batch
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.config import Config, load_config
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE

SPACES = tuple(
    replace(SPACE, name=f"s{number}", encoder=f"s{number}", dimension=4) for number in range(70)
)
SHOWN = Preprocessing(32, 32, "bilinear", (0, 0, 0), (1, 1, 1))


def compute(config: Config, storage: Storage, missing: Missing) -> int:
    """Decode the missing images and write random vectors in place of networks'. Returns the number of vectors
    that were counted."""
    todo = missing.todo(retry_rejects=False)
    settings = DecodeSettings(
        storage=storage,
        remake=config.remake(),
        profiles=config.perturbations.profiles,
        preprocessings=(SHOWN,),
        orphans=missing.orphans(),
    )
    rows = todo.table()
    counter = LocalCounter(todo.flags.size)
    batch: Batch = {name: rows[name].to_numpy() for name in rows.column_names}
    decoded = decode_batch(batch, settings, counter)
    random = np.random.default_rng(1)
    for number in range(len(SPACES)):
        shape = (len(decoded["place"]), 4)
        decoded[f"vector_{number}"] = random.normal(size=shape).astype(np.float32)
        counter.add(decoded["place"][decoded["need"][:, number]] + number)
    write_batch(decoded, storage, SPACES, counter, "this installation")
    return counter.read()


@pytest.mark.slow
def test_seventy_spaces_get_exactly_the_vectors_that_they_lack(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "root"))
    config = load_config(None, ["perturbations.profiles=[rotate-3]", "perturbations.originals=1"])
    rows = []
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(image_bytes(1, number))
        uri = (tmp_path / f"{number}.jpg").as_uri()
        rows.append({"artwork_id": f"a{number}", "image_uri": uri, "etag": "1"})
    catalog = pa.Table.from_pylist(rows, schema=schemas.CATALOG)
    first = Missing.read(config, storage, catalog.slice(0, 2), SPACES)
    assert compute(config, storage, first) == 3 * 70  # two originals and one copy

    lost = storage.files("features")[::7]  # one of a space's shards, and with it its vectors
    for info in lost:
        storage.delete(f"features/{info.path}")
    again = Missing.read(config, storage, catalog, SPACES)
    assert compute(config, storage, again) == 3 * len(lost) + 70
    whole = Missing.read(config, storage, catalog, SPACES)
    assert whole.todo(retry_rejects=False).count == 0
    assert whole.stored_counts.tolist() == [4] * 70
    assert [space.distinct for space in whole.stored] == [4] * 70
