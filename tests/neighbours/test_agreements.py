"""What geometry said of a pair is read back as it was said, and each pair is compared once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from simsearch.features.points import StoredPoints
from simsearch.geometry.agreement import Agreement, agree
from simsearch.geometry.points import points_of
from simsearch.neighbours.agreements import (
    PicturePairs,
    StoredAgreements,
    agreement_of,
    agreements_table,
)
from simsearch.storage.storage import Storage


@pytest.mark.slow
def test_agreements_are_read_back_as_they_were_found(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    blocks = random.integers(0, 255, (24, 32, 3), dtype=np.uint8)
    picture = np.kron(blocks, np.ones((10, 10, 1), np.uint8))
    other = np.kron(random.integers(0, 255, (24, 32, 3), dtype=np.uint8), np.ones((10, 10, 1)))
    shown = {"a": picture, "b": picture[20:220, 30:300], "c": other.astype(np.uint8)}
    points = {name: points_of(pixels) for name, pixels in shown.items()}
    stored = StoredAgreements(StoredPoints(Storage(str(tmp_path)), "sift"))
    pairs = PicturePairs(np.array(["a", "b", "c", "d"], object), np.array([0 * 4 + 1, 0 * 4 + 2]))
    assert stored.missing(pairs).tolist() == [1, 2]
    stored.parts.write(agreements_table(*pairs.key(), points))
    assert stored.missing(pairs).tolist() == []
    rows = {row["code"]: row for row in stored.read(pairs).to_pylist()}
    said = agree(points["a"], points["b"])
    assert said is not None
    again = agreement_of(rows[1])
    for field in fields(Agreement):
        both = getattr(again, field.name), getattr(said, field.name)
        np.testing.assert_allclose(*both, rtol=1e-6)  # stored as float32
    unlike = agree(points["a"], points["c"])
    assert (2 in rows) == (unlike is not None)
    few = pairs.of(np.array([2]))
    assert set(stored.read(few)["code"].to_pylist()) <= {2}
