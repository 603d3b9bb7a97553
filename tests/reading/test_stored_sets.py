"""Sets' files that somebody else wrote: no page takes long over one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simsearch.errors import DamagedError
from simsearch.reading.sets import MOST
from simsearch.reading.stored_sets import MOST_BYTES, list_sets, read_set
from simsearch.storage.storage import Storage

SET_ID = "0123456789abcdef"


def write(storage: Storage, ids: list[str], set_id: str = SET_ID) -> None:
    values = {"set_id": set_id, "name": "a", "created": "2026-01-01", "artwork_ids": ids}
    storage.write_bytes(f"sets/{set_id}.json", json.dumps(values).encode())


def test_an_id_that_is_repeated_counts_once(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write(storage, ["b", "a"] * 100_000)
    assert read_set(storage, SET_ID).artwork_ids == ("b", "a")


def test_a_file_with_more_than_a_set_holds_is_named_as_damaged(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write(storage, [str(number) for number in range(MOST)])
    assert len(read_set(storage, SET_ID).artwork_ids) == MOST
    write(storage, [str(number) for number in range(MOST + 1)])
    with pytest.raises(DamagedError, match="no set as the explorer writes it; remove the file"):
        read_set(storage, SET_ID)
    write(storage, ["x" * MOST_BYTES])
    with pytest.raises(DamagedError, match="longer than the 12 MiB that a set can have"):
        read_set(storage, SET_ID)
    assert list_sets(storage) == ([], [SET_ID])
