"""A damaged table is never read as another one, and what a run can make anew does not stop it for good."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.errors import DamagedError
from simsearch.storage.damage import set_aside
from simsearch.storage.growing import GrowingTable
from simsearch.storage.parquet import decode_table, encode_table, is_damage
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage

ROWS, DIMENSION = 40, 16


@functools.cache
def table_of_vectors() -> pa.Table:
    numbers = np.random.default_rng(71).normal(size=ROWS * DIMENSION).astype(np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(numbers), DIMENSION)
    return pa.table({"content_hash": [f"{row}" for row in range(ROWS)], "vector": vectors})


@functools.cache
def stored_bytes() -> bytes:
    return encode_table(table_of_vectors())


def differing(data: bytes) -> str | None:
    """The result of reading the bytes: None for the same table, "damage", or "another table"."""
    try:
        read = decode_table(data)
    except (pa.ArrowException, OSError) as error:
        return "damage" if is_damage(error) else repr(error)
    return None if read.equals(table_of_vectors()) else "another table"


@pytest.mark.slow
@settings(max_examples=300)
@example(3563, 2)  # a column's name
@example(3564, 128)  # a column's name, no letters any more
@given(st.integers(0, len(stored_bytes()) - 1), st.integers(1, 255))
def test_a_changed_byte_is_found_or_changes_nothing(place: int, change: int) -> None:
    data = bytearray(stored_bytes())
    data[place] ^= change
    assert differing(bytes(data)) in (None, "damage")


@given(st.integers(0, len(stored_bytes()) - 1))
def test_a_file_that_was_cut_is_found(length: int) -> None:
    assert differing(stored_bytes()[:length]) == "damage"


def flip_a_vector(path: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("columns", [None, ["vector"]])
@pytest.mark.parametrize("way", ["write_table", "growing"])
def test_each_writer_stores_checksums_and_each_reader_verifies_them(
    tmp_path: Path, way: str, columns: list[str] | None
) -> None:
    storage = Storage(str(tmp_path))
    if way == "write_table":
        storage.write_table("t.parquet", table_of_vectors())
    else:
        with GrowingTable(storage, "t.parquet") as growing:
            growing.append(table_of_vectors())
    flip_a_vector(tmp_path / "t.parquet")
    with pytest.raises(DamagedError, match=r"t\.parquet: not a readable Parquet file .*checksum"):
        storage.read_table("t.parquet", columns)


def test_a_damaged_part_is_moved_out_of_the_way_and_a_snapshots_file_is_not(
    tmp_path: Path,
) -> None:
    storage = Storage(str(tmp_path))
    source = {"image_uri": "https://x.org/a.jpg", "etag": "1", "content_hash": "1" * 64}
    path = write_part(storage, "sources", [source], schemas.SOURCES)
    assert path is not None
    flip_a_vector(tmp_path / path)
    before = hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()
    error = set_aside(storage, DamagedError(storage.root, path, "not readable"))
    assert "run the same command again, which makes it anew" in str(error)
    assert not storage.exists(path)
    assert storage.digest(f"damaged/{path}") == before
    storage.write_bytes("snapshots/1/images.parquet", b"damaged")
    kept = DamagedError(storage.root, "snapshots/1/images.parquet", "not readable")
    assert set_aside(storage, kept) is kept
    assert storage.exists(kept.path)
