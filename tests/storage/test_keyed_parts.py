"""Tables whose rows have keys: written twice they are there once, merged they lose nothing."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from simsearch.errors import DamagedError
from simsearch.features.points import POINTS
from simsearch.storage.keyed_parts import KeyedParts
from simsearch.storage.storage import Storage


def points_of(names: str) -> pa.Table:
    rows = [{"content_hash": name, "count": 1, "points": name.encode() * 3} for name in names]
    return pa.Table.from_pylist(rows, schema=POINTS)


def contents(parts: KeyedParts) -> list[tuple[str, bytes]]:
    tables = [parts.read(name) for name in parts.stored().names]
    return sorted(
        (row["content_hash"], row["points"]) for table in tables for row in table.to_pylist()
    )


def test_a_retry_adds_nothing_and_merged_parts_hold_each_row_once(tmp_path: Path) -> None:
    parts = KeyedParts(Storage(str(tmp_path)), "points/x", POINTS, ("content_hash",))
    assert parts.write(points_of("")) is None
    assert parts.write(points_of("ba")) == parts.write(points_of("ab"))
    for names in ("bc", "d", "e", "f", "g", "h", "ij", "klmn"):
        parts.write(points_of(names))
    assert len(contents(parts)) == 15  # b twice
    assert parts.compact(6) == 8  # not the one of four
    assert contents(parts) == [(name, name.encode() * 3) for name in "abcdefghijklmn"]
    stored = parts.stored()
    assert (
        max(stored.table["part"].value_counts().to_pylist(), key=lambda c: c["counts"])["counts"]
        <= 6
    )
    assert parts.compact(6) == 0


def test_rows_are_read_by_their_keys_and_only_the_groups_that_hold_them(tmp_path: Path) -> None:
    parts = KeyedParts(Storage(str(tmp_path)), "points/x", POINTS, ("content_hash",), 2)
    parts.write(points_of("acegikmo"))
    (name,) = parts.stored().names
    (path,) = tmp_path.rglob("*.parquet")
    assert pq.ParquetFile(path).num_row_groups == 4
    for keys in ("", "a", "bdf", "aceg", "ofz", "acegikmo"):
        rows = parts.read_rows(name, pa.array(list(keys), pa.string()))
        assert rows["content_hash"].to_pylist() == sorted(set(keys) & set("acegikmo"))
    data = bytearray(path.read_bytes())
    data[data.index(b"ooo")] ^= 1  # in the last group
    path.write_bytes(data)
    assert parts.read_rows(name, pa.array(["a", "g"])).num_rows == 2
    with pytest.raises(DamagedError):
        parts.read_rows(name, pa.array(["o"]))


def test_removed_rows_are_in_no_file(tmp_path: Path) -> None:
    parts = KeyedParts(Storage(str(tmp_path)), "points/x", POINTS, ("content_hash",))
    for names in ("ab", "c", "de"):
        parts.write(points_of(names))
    before = parts.stored().names
    parts.remove(lambda table: pc.is_in(table["content_hash"], value_set=pa.array(["a", "c"])))
    assert [name for name, _ in contents(parts)] == ["b", "d", "e"]
    assert len(set(before) & set(parts.stored().names)) == 1
