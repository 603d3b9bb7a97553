"""Museums by name: their own samples where we have them, else rows made after the published schema."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from simsearch.catalog.layout import museum_layout, museum_names
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from tests.support.catalogs import jpeg
from tests.support.museums import museum
from tests.support.places import SHARED

SAMPLES = SHARED / "museums"


def sample(name: str) -> Path:
    if not (SAMPLES / name).exists():
        pytest.skip(f"no sample at {SAMPLES / name}")
    return SAMPLES / name


def write_csv(path: Path, header: str, *rows: dict[str, Any]) -> Path:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header.split(","))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(buffer.getvalue(), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("name", museum_names())
def test_each_museum_names_itself_and_where_its_schema_is_published(name: str) -> None:
    layout = museum_layout(name)
    assert layout.schema.startswith("https://")
    assert {"artwork_id", "title", "image_uri"} <= set(layout.columns)


def test_tates_simplified_table_with_its_rows_without_pictures(tmp_path: Path) -> None:
    notes = Notes()
    table = museum(tmp_path, "tate", sample("tate-simplified_artwork_data.csv"), notes=notes)
    with sample("tate-simplified_artwork_data.csv").open() as file:
        rows = list(csv.DictReader(file))
    pictured = [row for row in rows if row["thumbnailUrl"]]
    assert table.num_rows == len(pictured) < len(rows)
    assert notes.left_out["rows without an image"][0] == len(rows) - len(pictured)
    first = table.to_pylist()[0]
    assert first["artwork_id"] == "A00001"
    assert first["image_uri"] == "https://www.tate.org.uk/art/images/work/A/A00/A00001_8.jpg"


def test_tates_folder_of_records(tmp_path: Path) -> None:
    table = museum(tmp_path, "tate", sample("tate-artworks"))
    row = next(row for row in table.to_pylist() if row["artwork_id"] == "A00001")
    assert row["title"].startswith("A Figure Bowing before a Seated Old Man")
    assert row["artists"] == ["Robert Blake"]
    assert row["date"] == "date not known"
    assert {"kneeling", "man, old", "blessing"} <= set(row["subjects"])
    assert row["image_uri"] == "http://www.tate.org.uk/art/images/work/A/A00/A00001_8.jpg"


def test_carnegies_json_lines(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in sample("cmoa-things.jsonl").read_text().splitlines()]
    pictured = {line["id"]: line for line in lines if line["images"]}
    table = museum(tmp_path, "cmoa", sample("cmoa-things.jsonl"))
    assert set(table["artwork_id"].to_pylist()) == set(pictured)
    for row in table.to_pylist():
        line = pictured[row["artwork_id"]]
        assert row["image_uri"] == line["images"][0]["image_url"]
        assert row["artists"] == list(
            dict.fromkeys(person["full_name"] for person in line["creator"])
        )
        assert (row["credit"], row["medium"]) == (line["credit_line"], line["medium"])


OBJECTS = "objectid,accessioned,accessionnum,locationid,title,displaydate,beginyear,endyear,visualbrowsertimespan,medium,dimensions,inscription,markings,attributioninverted,attribution,creditline,classification,subclassification,visualbrowserclassification,parentid,isvirtual,departmentabbr,portfolio,series,volume,watermarks,lastdetectedmodification,customprinturl"


IMAGES = "uuid,iiifurl,iiifthumburl,viewtype,sequence,width,height,maxpixels,created,modified,depictstmsobjectid,assistivetext"


def test_the_national_gallery_joins_objects_with_published_images(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "objects.csv",
        OBJECTS,
        {"objectid": 1, "title": "One", "attribution": "Ann", "departmentabbr": "CIS-R"},
        {"objectid": 2, "title": "Two", "attribution": "Bob"},
        {"objectid": 3, "title": "Three", "attribution": "Cy"},
    )
    write_csv(
        tmp_path / "published_images.csv",
        IMAGES,
        {
            "iiifurl": "https://iiif.test/b",
            "viewtype": "primary",
            "sequence": 10,
            "depictstmsobjectid": 1,
        },
        {
            "iiifurl": "https://iiif.test/a",
            "viewtype": "primary",
            "sequence": 9,
            "depictstmsobjectid": 1,
        },
        {
            "iiifurl": "https://iiif.test/c",
            "viewtype": "primary",
            "sequence": 0,
            "maxpixels": 640,
            "depictstmsobjectid": 2,
        },
        {
            "iiifurl": "https://iiif.test/d",
            "viewtype": "alternate",
            "sequence": 0,
            "depictstmsobjectid": 3,
        },
    )
    notes = Notes()
    table = museum(tmp_path, "nga", tmp_path, notes=notes)
    assert table["image_uri"].to_pylist() == [
        "https://iiif.test/a/full/!1024,1024/0/default.jpg",
        "https://iiif.test/c/full/!640,640/0/default.jpg",  # under copyright: no larger is given out
    ]
    assert table["artists"].to_pylist() == [["Ann"], ["Bob"]]
    assert notes.left_out["rows without an image"][0] == 1  # an alternate view only


MET = "Object Number,Is Highlight,Is Timeline Work,Is Public Domain,Object ID,Gallery Number,Department,AccessionYear,Object Name,Title,Culture,Period,Dynasty,Reign,Portfolio,Constituent ID,Artist Role,Artist Prefix,Artist Display Name,Artist Display Bio,Artist Suffix,Artist Alpha Sort,Artist Nationality,Artist Begin Date,Artist End Date,Artist Gender,Artist ULAN URL,Artist Wikidata URL,Object Date,Object Begin Date,Object End Date,Medium,Dimensions,Credit Line,Geography Type,City,State,County,Country,Region,Subregion,Locale,Locus,Excavation,River,Classification,Rights and Reproduction,Link Resource,Object Wikidata URL,Metadata Date,Repository,Tags,Tags AAT URL,Tags Wikidata URL"


def test_the_mets_table_takes_images_from_a_folder(tmp_path: Path) -> None:
    source = write_csv(
        tmp_path / "MetObjects.csv",
        MET,
        {
            "Object ID": 42,
            "Title": "Pair",
            "Artist Display Name": "Ann|Bob",
            "Tags": "Men|Dogs",
            "Object Name": "Print",
        },
        {"Object ID": 43, "Object Name": "Coin"},
    )
    with pytest.raises(CatalogError, match=r"MetObjects\.csv names no images: download them"):
        museum(tmp_path, "met", source)
    (tmp_path / "images").mkdir()
    for number in (42, 43):
        (tmp_path / "images" / f"{number}.jpg").write_bytes(jpeg())
    pair, coin = museum(tmp_path, "met", source, f"catalog.images={tmp_path}/images").to_pylist()
    assert (pair["artists"], pair["subjects"]) == (["Ann", "Bob"], ["Men", "Dogs"])
    assert coin["title"] == "Coin"  # three quarters of the museum's coins have no title


def test_the_rijksmuseums_dump_has_columns_that_look_like_paths(tmp_path: Path) -> None:
    header = "objectInventoryNumber,objectPersistentIdentifier,objectTitle[1],objectType[1],objectCreator[1],objectCreationDate[1],objectImage"
    source = write_csv(
        tmp_path / "dump.csv",
        header,
        {
            "objectInventoryNumber": "BK-1",
            "objectTitle[1]": "Chair",
            "objectCreator[1]": "anonymous",
            "objectType[1]": "chair",
            "objectImage": "http://x.test/1",
        },
    )
    (row,) = museum(tmp_path, "rijksmuseum", source).to_pylist()
    assert (row["title"], row["artists"], row["classification"]) == (
        "Chair",
        ["anonymous"],
        "chair",
    )


def test_another_museums_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(
        CatalogError, match="not the data of Harvard Art Museums, it has no objectid"
    ):
        museum(tmp_path, "harvard", tmp_path / "x.csv")
