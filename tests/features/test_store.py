"""Feature shards: readable without this package, found by content, never half there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simsearch.errors import DamagedError, IncompleteError
from simsearch.features import store as feature_store
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE, rows, vectors


def test_a_shard_is_plain_parquet_with_fixed_size_vectors_and_its_space_in_words(
    tmp_path: Path,
) -> None:
    storage = Storage(str(tmp_path))
    data = vectors(2)
    path = feature_store.write_shard(storage, SPACE, rows(["a", "b"]), data)
    table = pq.read_table(tmp_path / path)
    assert table.schema.field("vector").type == pa.list_(pa.float32(), SPACE.dimension)
    assert table.column_names == ["image_id", "artwork_id", "profile", "content_hash", "vector"]
    assert table["profile"].null_count == 2
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), dtype=np.float32), data)
    assert b"random:0" in table.schema.metadata[feature_store.METADATA_KEY]


def test_vectors_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    data = vectors(3)
    feature_store.write_shard(storage, SPACE, rows(["a", "c"]), data[[0, 2]])
    feature_store.write_shard(storage, SPACE, rows(["b"]), data[1:2])
    stored = feature_store.read_vectors(storage, SPACE, rows(["c", "a", "b", "a"]))
    np.testing.assert_array_equal(stored, data[[2, 0, 1, 0]])


def test_copies_of_one_image_are_kept_apart(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    data = vectors(2)
    feature_store.write_shard(storage, SPACE, rows(["a"]), data[:1])
    feature_store.write_shard(storage, SPACE, rows(["a"], "grayscale"), data[1:])
    keys = feature_store.read_keys(storage, SPACE)
    assert sorted(feature_store.keys_of(keys.table)) == ["hash-a/", "hash-a/grayscale"]
    assert keys.rows.tolist() == [1, 1]
    first = np.arange(2) == 0
    assert keys.shards_of(first) == {keys.shards[0]}
    np.testing.assert_array_equal(
        feature_store.read_vectors(storage, SPACE, rows(["a"], "grayscale")), data[1:]
    )


def test_a_missing_vector_is_an_error_not_garbage(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    feature_store.write_shard(storage, SPACE, rows(["a"]), vectors(1))
    with pytest.raises(IncompleteError, match="1 of 2 vectors are missing"):
        feature_store.read_vectors(storage, SPACE, rows(["a", "b"]))


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_stored_vector_that_is_not_finite_is_damage_by_its_file(
    tmp_path: Path, odd: float
) -> None:
    storage, data = Storage(str(tmp_path)), vectors(2)
    data[1, 3] = odd
    path = feature_store.write_shard(storage, SPACE, rows(["a", "b"]), data)
    with pytest.raises(DamagedError, match=f"{path}: holds a vector that is not finite"):
        feature_store.read_vectors(storage, SPACE, rows(["a"]))


def test_a_repeated_write_leaves_one_shard(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    for _ in range(2):
        feature_store.write_shard(storage, SPACE, rows(["a", "b"]), vectors(2))
    assert len(storage.files("features")) == 1


def test_whatever_changes_vectors_changes_the_fingerprint() -> None:
    assert SPACE.fingerprint.startswith("test-untrained-")
    changes: tuple[dict[str, Any], ...] = (
        {"weights_digest": "1" * 64},
        {"precision": "bfloat16"},
        {"preprocessing": "other"},
        {"mode": "study-2018"},
        {"perturbations": "definitions 2"},
        {"background": "#000000"},
        {"layer": "other"},
    )
    for change in changes:
        assert replace(SPACE, **change).fingerprint != SPACE.fingerprint
    assert replace(SPACE, weights_source="elsewhere").fingerprint == SPACE.fingerprint
    assert "study-2018" in replace(SPACE, mode="study-2018").fingerprint
