"""Compaction: fewer files, the same vectors, whatever is interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.features import store as feature_store
from simsearch.features.compaction import compact_parts, compact_shards, untidy_shards
from simsearch.storage.parts import read_parts, write_part
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE, rows, vectors


def fill(storage: Storage, shards: list[list[str]], data: dict[str, np.ndarray]) -> None:
    for names in shards:
        matrix = np.stack([data[name] for name in names])
        feature_store.write_shard(storage, SPACE, rows(names), matrix)


def compact(storage: Storage, shard_rows: int) -> int:
    untidy = untidy_shards(feature_store.read_keys(storage, SPACE), shard_rows)
    return compact_shards(storage, SPACE, shard_rows, untidy)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@example(shards=[["a"], ["a", "b", "c"], ["a", "b", "c", "d", "e"], ["u"], ["b", "u"]])
@given(
    shards=st.lists(
        st.lists(
            st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=1, max_size=5, unique=True
        ),
        min_size=1,
        max_size=14,
    )
)
def test_compaction_loses_nothing_and_leaves_no_vector_twice(
    tmp_path_factory: pytest.TempPathFactory, shards: list[list[str]]
) -> None:
    storage = Storage(str(tmp_path_factory.mktemp("root")))
    names = sorted({name for shard in shards for name in shard})
    data = dict(zip(names, vectors(len(names)), strict=True))
    fill(storage, shards, data)
    compact(storage, 6)
    keys = feature_store.read_keys(storage, SPACE)
    assert sorted(feature_store.keys_of(keys.table)) == [f"hash-{name}/" for name in names]
    assert keys.distinct == len(names)
    assert keys.rows.max() <= 6
    stored = feature_store.read_vectors(storage, SPACE, rows(names))
    np.testing.assert_array_equal(stored, np.stack([data[name] for name in names]))
    assert compact(storage, 6) == 0 or len(keys.shards) >= 8


def test_a_merged_shard_names_all_installations_that_made_it(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    for number, name in enumerate("abcdefgh"):
        makers = [f"maker-{number % 3}"] if number else []
        feature_store.write_shard(storage, SPACE, rows([name]), vectors(1), makers)
    assert compact(storage, 100) == 8
    (merged,) = feature_store.read_keys(storage, SPACE).shards
    shard = storage.read_table(feature_store.shard_path(SPACE, merged))
    assert feature_store.installations_of(shard) == {"maker-0", "maker-1", "maker-2"}


def test_few_small_shards_and_full_ones_are_left_alone(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    names = [f"n{number}" for number in range(40)]
    data = dict(zip(names, vectors(40), strict=True))
    fill(storage, [names[:20], *[[name] for name in names[20:27]]], data)
    before = {info.path: info.etag for info in storage.files()}
    assert compact(storage, 20) == 0
    assert {info.path: info.etag for info in storage.files()} == before
    fill(storage, [[names[27]]], data)
    assert compact(storage, 20) == 8
    after = {info.path: info.etag for info in storage.files()}
    assert len(after) == 2
    assert len(set(before.items()) & set(after.items())) == 1  # the full one


def test_a_crash_between_writing_and_deleting_is_mended(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    names = [f"n{number}" for number in range(8)]
    data = dict(zip(names, vectors(8), strict=True))
    fill(storage, [[name] for name in names], data)
    kept = {info.path: storage.read_bytes(info.path) for info in storage.files()}
    compact(storage, 20)
    for path in list(kept)[:3]:  # as if these had not been deleted yet
        storage.write_bytes(path, kept[path])
    assert compact(storage, 20) == 4
    keys = feature_store.read_keys(storage, SPACE)
    assert len(keys.shards) == 1
    assert sorted(feature_store.keys_of(keys.table)) == [f"hash-{name}/" for name in names]


def test_parts_are_merged_and_the_newest_row_stays_last(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    seen: list[dict[str, str]] = []
    for number in [*range(14), 3, 0]:
        row = {"image_uri": f"file:///{number}", "etag": "1", "content_hash": f"hash-{number}"}
        write_part(storage, "sources", [row, {**row, "etag": f"2-{len(seen)}"}], schemas.SOURCES)
        seen.append(row)
    before = read_parts(storage, "sources", schemas.SOURCES).to_pylist()
    assert compact_parts(storage, "sources", schemas.SOURCES) == 16
    after = read_parts(storage, "sources", schemas.SOURCES).to_pylist()
    assert len(storage.files("sources")) == 1
    assert {tuple(row.values()) for row in after} == {tuple(row.values()) for row in before}
    assert len(after) == len({tuple(row.values()) for row in before})
    assert compact_parts(storage, "sources", schemas.SOURCES) == 0
