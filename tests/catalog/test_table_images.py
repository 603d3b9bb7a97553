"""The images that a table names: found before a run begins, counted, and guessed only with a note."""

from __future__ import annotations

import json

import pytest

from simsearch.catalog.notes import Notes
from simsearch.catalog.places import OUTSIDE, Places
from simsearch.errors import CatalogError
from simsearch.storage.storage import Storage
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


@pytest.mark.parametrize(
    ("cell", "chosen"),
    [
        ("a.jpg|b.jpg", "a.jpg"),
        ("a.jpg; b.jpg", "a.jpg"),
        ("a.jpg ,b.jpg", "a.jpg"),
        ("a.jpg\nb.jpg", "a.jpg"),
        ("gone.jpg|b.jpg", "b.jpg"),
        ("A.JPG;b.jpg;", "a.jpg"),
        ("x|y; z,.jpg", "x|y; z,.jpg"),
    ],
)
def test_of_several_names_in_a_cell_the_first_that_is_there_is_the_image(
    place: Place, cell: str, chosen: str
) -> None:
    storage = put(place, art__csv=f'artwork_id,image_uri\n1,"{cell}"\n'.encode())
    for name in ("a.jpg", "b.jpg", "x|y; z,.jpg", "spare.jpg"):
        storage.write_bytes(name, jpeg())
    notes = Notes()
    (row,) = read(place, "art.csv", notes=notes).to_pylist()
    assert row["image_uri"] == storage.uri(chosen)
    assert row["etag"]
    several = chosen != cell
    assert several == any("1 rows name several images" in line for line in notes.lines)
    assert any("spare.jpg" in line for line in notes.lines)  # and no row names it


def test_of_several_names_none_of_which_is_there_the_row_is_counted(place: Place) -> None:
    put(
        place,
        art__csv=b"artwork_id,image_uri\n1,x.jpg|y.jpg\n2,a.jpg\n3,ftp://x/a.jpg\n",
        a__jpg=jpeg(),
    )
    notes = Notes()
    etags = read(place, "art.csv", notes=notes)["etag"].to_pylist()
    assert [etag is None for etag in etags] == [True, False, True]
    assert notes.left_out["images named that are not there"][0] == 2


@pytest.mark.parametrize("base", [None, "https://x.test/img"])
def test_several_addresses_in_a_cell_or_a_list_give_the_first(
    place: Place, base: str | None
) -> None:
    start = "" if base else "https://x.test/img/"
    rows = [
        {"artwork_id": "1", "image_uri": f"{start}a.jpg|{start}b.jpg"},
        {"artwork_id": "2", "image_uri": [f"{start}a.jpg", f"{start}b.jpg"]},
        {"artwork_id": "3", "image_uri": "https://x.test/img/a.jpg?x=1;y=2|3"},
    ]
    put(place, art__json=json.dumps(rows).encode())
    notes = Notes()
    table = read(place, "art.json", *([f"catalog.images={base}"] if base else []), notes=notes)
    assert table["image_uri"].to_pylist() == [
        "https://x.test/img/a.jpg",
        "https://x.test/img/a.jpg",
        "https://x.test/img/a.jpg?x=1;y=2|3",
    ]
    assert any(line.startswith("2 rows name several images") for line in notes.lines)


def test_a_name_that_leads_out_of_the_folder_is_named_for_that(place: Place) -> None:
    text = b"artwork_id,image_uri\n1,b.jpg\n2,../a.jpg\n3,x/../b.jpg\n"
    put(place, **{"meta/art__csv": text, "meta/b__jpg": jpeg(), "a__jpg": jpeg("red")})
    notes = Notes()
    table = read(place, "meta/art.csv", notes=notes)
    assert table["artwork_id"].to_pylist() == ["1", "3"]
    outside = notes.left_out[OUTSIDE]
    assert outside == (1, "row 2, 2: ../a.jpg")
    opened = f"catalog.images={Storage(place.root).uri('folder')}"
    table = read(place, "meta/art.csv", opened)
    assert [uri.rpartition("/folder/")[2] for uri in table["image_uri"].to_pylist()] == [
        "b.jpg", "a.jpg", "meta/b.jpg",
    ]  # fmt: skip
    assert table["etag"].to_pylist()[1] is not None


def test_an_address_elsewhere_has_only_its_own_folder_listed(place: Place) -> None:
    """`file:///` would have a whole disk listed, `s3://bucket/a.jpg` a whole bucket."""
    storage = Storage(place.root, place.config)
    for path in ("other/a.jpg", "other/below/b.jpg", "other/below/deep/c.jpg"):
        storage.write_bytes(path, jpeg())
    places = Places(storage.uri("here"), place.config, "art.csv")
    uri = storage.uri("other/a.jpg")
    located = places.locate([uri], "1")
    assert located is not None
    assert located[0] == uri
    assert places.missing == []
    assert [list(files) for files in places._listed.values()] == [[uri]]
