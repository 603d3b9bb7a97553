"""Records of museums' services, made after the schemas that they publish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.museums import museum

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
