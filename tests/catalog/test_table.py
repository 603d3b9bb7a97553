"""CSV and Parquet tables as catalogs."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simsearch.errors import CatalogError
from tests.support.catalogs import jpeg, read


def test_a_table_maps_its_columns_and_keeps_text_as_text(tmp_path: Path) -> None:
    (tmp_path / "art.csv").write_text(
        'no,name,by,picture\n007,"A ""title"", <b>","Ann\nBob",one.jpg\n8,,,http://x.test/8.jpg\n'
    )
    (tmp_path / "one.jpg").write_bytes(jpeg())
    table = read(
        tmp_path,
        "catalog.reader=table",
        f"catalog.source={tmp_path}/art.csv",
        "catalog.columns={artwork_id: 'no', title: name, artists: by, image_uri: picture}",
    )
    first, second = table.to_pylist()
    assert (first["artwork_id"], first["title"], first["artists"]) == (
        "007",
        'A "title", <b>',
        ["Ann", "Bob"],
    )
    assert first["image_uri"] == f"file://{tmp_path}/one.jpg"
    assert first["etag"]
    assert (second["title"], second["artists"], second["image_uri"]) == (
        None,
        [],
        "http://x.test/8.jpg",
    )


def test_a_parquet_table_reads_like_a_csv(tmp_path: Path) -> None:
    rows = pa.table(
        {"artwork_id": [1, 2], "image_uri": ["a.jpg", "b.jpg"], "artists": [["Ann"], []]}
    )
    pq.write_table(rows, tmp_path / "art.parquet")
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(jpeg())
    table = read(tmp_path, "catalog.reader=table", f"catalog.source={tmp_path}/art.parquet")
    assert table["artwork_id"].to_pylist() == ["1", "2"]
    assert table["artists"].to_pylist() == [["Ann"], []]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("{artwork_id: nope}", "has no column nope; it has: artwork_id, x"),
        ("{colour: x}", "no catalog column colour; allowed: artwork_id"),
        ("{}", "which column is the image_uri"),
    ],
)
def test_a_wrong_column_is_named(tmp_path: Path, columns: str, message: str) -> None:
    (tmp_path / "art.csv").write_text("artwork_id,x\n1,2\n")
    with pytest.raises(CatalogError, match=message):
        read(
            tmp_path,
            "catalog.reader=table",
            f"catalog.source={tmp_path}/art.csv",
            f"catalog.columns={columns}",
        )


def test_an_id_that_occurs_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "art.csv").write_text("artwork_id,image_uri\n1,a.jpg\n1,b.jpg\n")
    with pytest.raises(CatalogError, match="artwork id '1' occurs twice: row 1 and row 2;"):
        read(tmp_path, "catalog.reader=table", f"catalog.source={tmp_path}/art.csv")


@pytest.mark.slow
def test_the_real_paintings_read_whole(paintings: Path, tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "catalog.reader=table",
        f"catalog.source={paintings}/artworks.csv",
        "catalog.columns={image_uri: file, artists: artist, dimensions: dimensions_cm, department: museum}",
    )
    assert table.num_rows == 5000
    assert table["etag"].null_count == 0
