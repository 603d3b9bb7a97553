"""A folder or bucket prefix of image files as a catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from simsearch import schemas
from simsearch.errors import CatalogError
from simsearch.storage.storage import Storage
from tests.support.catalogs import jpeg, read
from tests.support.places import Place


def test_a_folder_gives_an_artwork_per_image_at_any_depth(tmp_path: Path) -> None:
    for name in ("b.JPG", "sub/view_of-delft.png", "twin.jpg", "twin.png", "notes.txt"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).write_bytes(jpeg())
    table = read(tmp_path, "catalog.reader=folder", f"catalog.source={tmp_path}/pictures")
    assert table.schema == schemas.CATALOG
    assert table["artwork_id"].to_pylist() == ["b", "sub/view_of-delft", "twin.jpg", "twin.png"]
    assert table["title"].to_pylist()[1] == "view of delft"
    assert table["image_uri"].to_pylist()[0] == f"file://{tmp_path}/pictures/b.JPG"
    assert table["etag"].null_count == 0


def test_a_bucket_prefix_is_a_folder(s3_place: Place, tmp_path: Path) -> None:
    Storage(s3_place.root, s3_place.config).write_bytes("scans/a b.jpg", jpeg())
    table = read(
        tmp_path,
        "catalog.reader=folder",
        f"catalog.source={s3_place.root}/scans",
        f"storage.endpoint_url={s3_place.config.endpoint_url}",
    )
    assert table["image_uri"].to_pylist() == [f"{s3_place.root}/scans/a b.jpg"]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_missing_or_empty_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        CatalogError, match=rf"catalog\.source: .*{name} (does not exist|has no image files)"
    ):
        read(tmp_path, "catalog.reader=folder", f"catalog.source={tmp_path / name}")
