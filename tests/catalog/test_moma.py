"""MoMA's published files as a catalog, quirks included."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from simsearch.errors import CatalogError
from tests.support.catalogs import jpeg, read

MOMA_COLUMNS = "Title,Artist,ConstituentID,ArtistBio,Nationality,BeginDate,EndDate,Gender,Date,Medium,Dimensions,CreditLine,AccessionNumber,Classification,Department,DateAcquired,Cataloged,ObjectID,URL"


def moma_record(number: int, **values: Any) -> dict[str, Any]:
    record = dict.fromkeys(MOMA_COLUMNS.split(","), "")
    return {
        **record,
        "Title": "T",
        "Artist": "A",
        "ConstituentID": "1",
        "ObjectID": str(number),
        **values,
    }


def write_moma_csv(path: Path, records: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)


@pytest.mark.parametrize("field", ["ImageURL", "ThumbnailURL"])
def test_momas_csv_and_json_say_the_same(tmp_path: Path, field: str) -> None:
    url = "http://www.moma.org/media/1.jpg"
    two = {"Artist": ["Ray Eames", "Pollock, Jr."], "ConstituentID": [11, 12]}
    records = [
        moma_record(2, Title="<em>Untitled</em>\nfrom a series", **{field: url}),
        moma_record(1, Title=" ", Date="1896", Medium="Ink", **{field: ""}),
        moma_record(3, **two, **{field: url}),
    ]
    (tmp_path / "Artworks.json").write_text(json.dumps(records), encoding="utf-8-sig")
    joined = {"Artist": "Ray Eames, Pollock, Jr.", "ConstituentID": "11, 12"}
    write_moma_csv(tmp_path / "Artworks.csv", [*records[:2], {**records[2], **joined}])
    tables = [
        read(tmp_path, "catalog.reader=moma", f"catalog.source={tmp_path}/Artworks.{kind}")
        for kind in ("json", "csv")
    ]
    for table in tables:
        assert table["artwork_id"].to_pylist() == ["2", "3"]  # 1 has no image
        assert table["title"].to_pylist()[0] == "<em>Untitled</em>\nfrom a series"
        assert table["image_uri"].to_pylist() == [url, url]
    assert tables[0]["artists"].to_pylist()[1] == ["Ray Eames", "Pollock, Jr."]
    assert tables[1]["artists"].to_pylist()[1] == [
        "Ray Eames, Pollock, Jr."
    ]  # three parts, two people


def test_joined_artists_are_split_when_the_counts_agree(tmp_path: Path) -> None:
    records = [
        moma_record(1, Artist="Ann, Bob", ConstituentID="1, 2", ImageURL="http://x.test/1.jpg"),
        moma_record(2, Artist="Ann, Jr.", ConstituentID="1", ImageURL="http://x.test/2.jpg"),
        moma_record(3, Artist="", ConstituentID="", ImageURL="http://x.test/3.jpg"),
    ]
    write_moma_csv(tmp_path / "Artworks.csv", records)
    table = read(tmp_path, "catalog.reader=moma", f"catalog.source={tmp_path}/Artworks.csv")
    assert table["artists"].to_pylist() == [["Ann", "Bob"], ["Ann, Jr."], []]


def test_stored_images_named_by_object_id_go_before_web_addresses(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(jpeg())
    records = [moma_record(number, ImageURL=f"http://x.test/{number}.jpg") for number in (1, 2)]
    write_moma_csv(tmp_path / "Artworks.csv", records)
    table = read(
        tmp_path,
        "catalog.reader=moma",
        f"catalog.source={tmp_path}/Artworks.csv",
        f"catalog.images={tmp_path}/images",
    )
    assert table["image_uri"].to_pylist() == [
        f"file://{tmp_path}/images/1.jpg",
        "http://x.test/2.jpg",
    ]
    assert table["etag"].null_count == 1


def test_a_file_that_is_not_momas_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    (tmp_path / "x.json").write_text('{"a": 1}')
    (tmp_path / "y.json").write_text("[{")
    for name, message in (
        ("x.csv", "it has no ObjectID"),
        ("x.json", "it has no ObjectID"),
        ("y.json", "not valid JSON"),
    ):
        with pytest.raises(CatalogError, match=message):
            read(tmp_path, "catalog.reader=moma", f"catalog.source={tmp_path}/{name}")
