"""The images that a table names: looked for before the first hour is spent, counted, and guessed at aloud."""

from __future__ import annotations

import pytest

from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from tests.support.catalogs import jpeg
from tests.support.odd_tables import put, read
from tests.support.places import Place


def test_rows_without_an_image_are_left_out_and_counted(place: Place) -> None:
    put(
        place,
        art__csv=b"artwork_id,image_uri\n1,a.jpg\n2,\n3, \n4,b.jpg\n",
        a__jpg=jpeg(),
        b__jpg=jpeg(),
    )
    notes = Notes()
    assert read(place, "art.csv", notes=notes)["artwork_id"].to_pylist() == ["1", "4"]
    assert notes.summary()[-1] == "left out: 2 rows without an image (first: row 2, 2)"


def test_image_names_may_start_from_a_web_address(place: Place) -> None:
    put(
        place,
        art__csv=b"artwork_id,image_uri\n1,A/A00/A00001_8.jpg\n2,h \xc3\xb6.jpg\n3,http://x.test/3.jpg\n",
    )
    table = read(place, "art.csv", "catalog.images=https://www.tate.test/art/images/work/")
    assert table["image_uri"].to_pylist() == [
        "https://www.tate.test/art/images/work/A/A00/A00001_8.jpg",
        "https://www.tate.test/art/images/work/h%20%C3%B6.jpg",
        "http://x.test/3.jpg",
    ]


def test_a_wrong_images_folder_shows_the_first_path_and_guesses_the_right_one(place: Place) -> None:
    storage = put(place, art__csv=b"artwork_id,image_uri\n1,x/a.jpg\n2,x/b.jpg\n")
    storage.write_bytes("scans/2024/x/a.jpg", jpeg())
    storage.write_bytes("scans/2024/x/b.jpg", jpeg())
    with pytest.raises(CatalogError) as raised:
        read(place, "art.csv", f"catalog.images={storage.uri('pictures')}")
    assert (
        f"none of 2 named images is there; the first path tried: {storage.uri('pictures/x/a.jpg')}"
        in str(raised.value)
    )
    guess = str(raised.value).partition("set ")[2]
    assert guess == f"catalog.images={storage.uri('scans/2024')}"
    assert read(place, "art.csv", guess)["etag"].null_count == 0


def test_pictures_without_rows_and_rows_without_pictures_are_counted(place: Place) -> None:
    put(
        place,
        art__csv=b"artwork_id,image_uri\n1,a.jpg\n2,gone.jpg\n3,also-gone.jpg\n",
        a__jpg=jpeg(),
        spare__jpg=jpeg(),
        notes__txt=b"",
    )
    notes = Notes()
    table = read(place, "art.csv", notes=notes)
    assert table.num_rows == 3  # a missing file is a reject of its own later
    lines = " | ".join(notes.summary())
    assert "1 images in" in lines
    assert "that no row names (such as spare.jpg)" in lines
    assert "2 images named that are not there (first: " in lines
    assert "gone.jpg" in lines


def test_names_that_differ_in_case_slashes_or_unicode_form_are_found_and_told(place: Place) -> None:
    storage = put(place, art__csv="artwork_id,image_uri\n1,Scans\\A.JPG\n2,é.jpg\n".encode())
    storage.write_bytes("scans/a.jpg", jpeg())
    storage.write_bytes("e\u0301.jpg", jpeg())  # as macOS writes it
    notes = Notes()
    table = read(place, "art.csv", notes=notes)
    assert table["etag"].null_count == 0
    assert any("2 images found by another case or Unicode form" in line for line in notes.lines)
