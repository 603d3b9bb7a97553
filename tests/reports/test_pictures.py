"""The report's pictures: of artworks whatever their ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from matplotlib.figure import Figure

from simsearch.reading.view import SnapshotView
from simsearch.reports import pictures
from simsearch.reports.picture_figures import CaptionedPicture
from simsearch.schemas import IMAGES, image_id
from simsearch.settings.config import load_config
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot

ARTWORKS = {"a": "1", "a--b": "2", "a--grayscale": "3", "--": "4"}
PROFILES = ("grayscale", "rotate-5")


@pytest.mark.parametrize("copied", [False, True])
def test_every_artwork_is_drawn_with_its_own_copies(
    copied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panels: list[CaptionedPicture] = []
    examples: list[Sequence[CaptionedPicture]] = []

    def draw_profiles(row: Sequence[CaptionedPicture]) -> Figure:
        panels.extend(row)
        return Figure()

    def draw_examples(rows: Sequence[Sequence[CaptionedPicture]]) -> Figure:
        examples.extend(rows)
        return Figure()

    monkeypatch.setattr(pictures, "profiles_figure", draw_profiles)
    monkeypatch.setattr(pictures, "neighbours_figure", draw_examples)
    config = load_config(None, [f"perturbations.profiles=[{', '.join(PROFILES)}]"])
    snapshot = make_snapshot(Storage(str(tmp_path)), ARTWORKS, config=config)
    if copied:
        rows = [
            {
                "image_id": image_id(name, profile),
                "artwork_id": name,
                "profile": profile,
                "content_hash": content,
            }
            for name, content in ARTWORKS.items()
            if name != "a"
            for profile in (None, *PROFILES)
        ]
        rows.append(
            {"image_id": "a", "artwork_id": "a", "profile": None, "content_hash": ARTWORKS["a"]}
        )
        snapshot.storage.write_table(
            snapshot.images_path, pa.Table.from_pylist(rows, schema=IMAGES).sort_by("image_id")
        )
    drawn = pictures.pictures_of(SnapshotView(config, snapshot))
    words = [panel.caption.splitlines()[0] for panel in panels]
    assert words == (["original", *PROFILES] if copied else [])
    assert ("profiles" in drawn) == copied
    names = [row[0].caption.splitlines()[0] for row in examples]
    assert names == sorted(name for name in ARTWORKS if not copied or name != "a")
    assert all(len(row) == 3 for row in examples)  # itself and its two neighbours
