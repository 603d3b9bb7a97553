"""Stored points, as a page that compares two pictures reads them: each file once, and a damaged one is named."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pyarrow.compute as pc
import pytest

from simsearch.features.points import StoredPoints
from simsearch.reading.findings.listed_pairs import ListedPairs
from simsearch.reading.library import Library
from simsearch.reading.picture_pairs import PairGeometry, PicturePair
from simsearch.reading.stored_points import PointReader
from simsearch.reading.view import SnapshotView
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.explorer_pairs import ASKED, COPY, FIRST
from tests.support.explorer_site import settings


@pytest.fixture
def view(pairs_snapshot: Snapshot) -> SnapshotView:
    config = settings(pairs_snapshot.storage.root)
    return Library(config, [config.root]).view()


def pair_of(view: SnapshotView, first: str, other: str) -> PicturePair:
    artworks = view.artwork(first), view.artwork(other)
    listed = ListedPairs(view).between(artworks[0].number, artworks[1].number)
    return PairGeometry(PointReader()).of(view, *artworks, listed)


def test_which_file_has_which_points_is_read_again_only_when_there_are_others(
    view: SnapshotView,
) -> None:
    stored = StoredPoints.of(view.plan.settings, view.snapshot.storage)
    assert stored is not None
    reader, read = PointReader(), mock.Mock(wraps=StoredPoints.stored)
    with mock.patch.object(StoredPoints, "stored", lambda own: read(own)):
        hashes = [view.artwork(name).content_hash for name in (FIRST, COPY, ASKED)]
        for name in (*hashes, "none of these", *hashes):
            assert name not in hashes or [*reader.read(stored, [name])] == [name]
            assert reader.read(stored, ["none of these"]) == {}
        assert read.call_count == 1
        stored.write({"new": reader.read(stored, hashes)[hashes[0]]})
        assert [*reader.read(stored, ["new"])] == ["new"]
        assert read.call_count == 2


@pytest.mark.parametrize("whole", [True, False])
def test_points_that_are_damaged_cost_the_drawing_and_are_named(
    view: SnapshotView, tmp_path: Path, *, whole: bool
) -> None:
    """Parquet that cannot be read, and Parquet with other bytes than were written."""
    storage = Storage(str(tmp_path))
    original = StoredPoints.of(view.plan.settings, view.snapshot.storage)
    assert original is not None
    files = original.storage.files(original.parts.folder)
    name = max(files, key=lambda file: file.size).path
    path = f"{original.parts.folder}/{name}"
    table = original.storage.read_table(path)
    cut = pc.binary_slice(table["points"], 0, 100)
    storage.write_table(path, table.set_column(2, table.schema.field(2), cut))
    if whole:
        storage.write_bytes(path, storage.read_bytes(path)[:-60])
    damaged = StoredPoints(storage, original.fingerprint)
    with mock.patch.object(StoredPoints, "of", return_value=damaged):
        listed, unlisted = pair_of(view, FIRST, COPY), pair_of(view, FIRST, ASKED)
    assert listed.transform is not None
    for sentence in (listed.sentence, unlisted.sentence):
        assert "The points of the two pictures cannot be read: " in sentence
        assert name in sentence
        assert str(tmp_path) not in sentence
