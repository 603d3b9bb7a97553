"""Museums by name: their own samples where we have them, else rows made after the published schema."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from simsearch.catalog.layout import museum_layout, museum_names
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from tests.support.catalogs import jpeg, read
from tests.support.places import SHARED

SAMPLES = SHARED / "museums"


def museum(
    tmp_path: Path, name: str, source: Path, *overrides: str, notes: Notes | None = None
) -> pa.Table:
    return read(
        tmp_path, f"catalog.reader={name}", f"catalog.source={source}", *overrides, notes=notes
    )


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
        assert row["artists"] == list(dict.fromkeys(each["full_name"] for each in line["creator"]))
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


API: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "met": (
        {
            "objectID": 7,
            "title": "T",
            "artistDisplayName": "Ann",
            "primaryImageSmall": "https://x.test/s.jpg",
            "primaryImage": "https://x.test/l.jpg",
            "tags": [{"term": "Dogs"}],
            "creditLine": "Gift",
        },
        {
            "artwork_id": "7",
            "artists": ["Ann"],
            "subjects": ["Dogs"],
            "credit": "Gift",
            "image_uri": "https://x.test/s.jpg",
        },
    ),
    "cleveland": (
        {
            "id": 94979,
            "accession_number": "1915.534",
            "share_license_status": "CC0",
            "title": "Nathaniel Hurd",
            "creation_date": "c. 1765",
            "department": "American Painting and Sculpture",
            "type": "Painting",
            "technique": "oil on canvas",
            "creditline": "Gift",
            "url": "https://clevelandart.org/art/1915.534",
            "creators": [{"id": 1, "description": "John Singleton Copley (American, 1738-1815)"}],
            "images": {
                "web": {"url": "https://x.test/web.jpg"},
                "print": {"url": "https://x.test/print.jpg"},
            },
        },
        {
            "artwork_id": "1915.534",
            "rights": "CC0",
            "medium": "oil on canvas",
            "image_uri": "https://x.test/web.jpg",
            "artists": ["John Singleton Copley (American, 1738-1815)"],
        },
    ),
    "artic": (
        {
            "id": 4,
            "title": "Priest and Boy",
            "date_display": "n.d.",
            "artist_title": "Lawrence Carmichael Earle",
            "artist_titles": ["Lawrence Carmichael Earle"],
            "medium_display": "Watercolor",
            "department_title": "Prints and Drawings",
            "classification_title": "drawings (visual works)",
            "credit_line": "The Charles Deering Collection",
            "image_id": "1753b638-d4fb-8e45-3db9-92dde7f053da",
            "copyright_notice": None,
            "subject_titles": [],
        },
        {
            "artwork_id": "4",
            "artists": ["Lawrence Carmichael Earle"],
            "department": "Prints and Drawings",
            "url": "https://www.artic.edu/artworks/4",
            "image_uri": "https://www.artic.edu/iiif/2/1753b638-d4fb-8e45-3db9-92dde7f053da/full/843,/0/default.jpg",
        },
    ),
    "smk": (
        {
            "object_number": "KMS1",
            "titles": [{"title": "Vinter", "language": "dansk"}],
            "artist": ["Vilhelm Hammershøi"],
            "production_date": [{"period": "1901"}],
            "techniques": ["Olie på lærred"],
            "dimensions": [{"notes": "370 x 535 mm"}],
            "rights": "https://creativecommons.org/publicdomain/zero/1.0/",
            "image_iiif_id": "https://iip.smk.dk/iiif/jp2/KMS1.tif.jp2",
            "object_names": [{"name": "maleri"}],
        },
        {
            "artwork_id": "KMS1",
            "title": "Vinter",
            "artists": ["Vilhelm Hammershøi"],
            "date": "1901",
            "dimensions": "370 x 535 mm",
            "classification": "maleri",
            "rights": "https://creativecommons.org/publicdomain/zero/1.0/",
            "image_uri": "https://iip.smk.dk/iiif/jp2/KMS1.tif.jp2/full/!1024,1024/0/default.jpg",
        },
    ),
    "harvard": (
        {
            "objectid": 304069,
            "title": "Hydria",
            "people": [{"name": "Rubens", "displayname": "After Peter Paul Rubens"}],
            "dated": "late 5th century BCE",
            "medium": "Bronze",
            "department": "Department of Ancient Art",
            "classification": "Vessels",
            "creditline": "Fund",
            "copyright": None,
            "primaryimageurl": "https://x.test/p",
            "images": [{"iiifbaseuri": "https://ids.lib.harvard.edu/ids/iiif/43183146"}],
            "url": "https://www.harvardartmuseums.org/collections/object/304069",
        },
        {
            "artwork_id": "304069",
            "artists": ["After Peter Paul Rubens"],
            "date": "late 5th century BCE",
            "image_uri": "https://ids.lib.harvard.edu/ids/iiif/43183146/full/!1024,1024/0/default.jpg",
        },
    ),
    "rijksmuseum": (
        {
            "objectNumber": "SK-C-5",
            "title": "The Night Watch",
            "principalOrFirstMaker": "Rembrandt van Rijn",
            "webImage": {"url": "https://x.test/n.jpg", "width": 2500},
            "links": {"web": "http://www.rijksmuseum.nl/en/collection/SK-C-5"},
        },
        {
            "artwork_id": "SK-C-5",
            "artists": ["Rembrandt van Rijn"],
            "image_uri": "https://x.test/n.jpg",
            "url": "http://www.rijksmuseum.nl/en/collection/SK-C-5",
        },
    ),
}


@pytest.mark.parametrize("name", API)
def test_records_made_after_the_published_schema(name: str, tmp_path: Path) -> None:
    record, expected = API[name]
    # As these services answer: a page with the records under one key.
    (tmp_path / "page.json").write_text(json.dumps({"info": {"total": 1}, "data": [record]}))
    (row,) = museum(tmp_path, name, tmp_path / "page.json").to_pylist()
    assert {column: row[column] for column in expected} == expected


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
