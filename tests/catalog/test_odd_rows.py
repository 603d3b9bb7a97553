"""One odd record, picture or name costs itself, in JSON and in Parquet."""

from __future__ import annotations

import base64
import json

import pyarrow as pa
import pytest

from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from tests.catalog.test_pictures_inside import config_for as config
from tests.catalog.test_pictures_inside import embedded, ingested, parquet, pictures
from tests.support.catalogs import jpeg
from tests.support.odd_tables import put, read
from tests.support.places import Place


@pytest.mark.parametrize("odd", [None, "text", 7, ["a"]])
@pytest.mark.parametrize("key", [None, "objects"])
def test_an_item_that_is_no_record_costs_itself(place: Place, odd: object, key: str | None) -> None:
    items = [
        {"artwork_id": "1.10", "image_uri": "a.jpg"},
        odd,
        {"artwork_id": 2, "image_uri": "a.jpg"},
    ]
    data = json.dumps(items if key is None else {key: items}).encode()
    put(place, art__json=data, a__jpg=jpeg())
    notes = Notes()
    assert read(place, "art.json", notes=notes)["artwork_id"].to_pylist() == ["1.10", "2"]
    assert notes.left_out["items that are no JSON object"] == (1, "item 2")


def test_a_line_of_a_folders_file_that_is_no_record_is_counted(place: Place) -> None:
    lines = b'{"artwork_id": "1", "image_uri": "a.jpg"}\n{"artwork_id":\n{"artwork_id": "2", "image_uri": "a.jpg"}\n'
    put(place, one__json=lines, a__jpg=jpeg())
    notes = Notes()
    assert read(place, "", notes=notes)["artwork_id"].to_pylist() == ["1", "2"]
    assert notes.left_out["lines that are no JSON object"] == (1, "one.json, line 2")


def test_half_a_character_is_stored_as_the_replacement_and_said(place: Place) -> None:
    data = rb'[{"artwork_id": "1", "title": "a\ud800b", "image_uri": "a.jpg"}, {"artwork_id": "2", "title": "\ud83c\udfa8 \\ud800", "image_uri": "a.jpg"}]'
    put(place, art__json=data, a__jpg=jpeg())
    notes = Notes()
    titles = read(place, "art.json", notes=notes)["title"].to_pylist()
    assert titles == ["a�b", "🎨 \\ud800"]
    assert any("1 texts have half a character" in line for line in notes.lines)


@pytest.mark.parametrize("leaf", ['"B"', '{"x": "B"}'])
def test_a_value_may_be_nested_deeply(place: Place, leaf: str) -> None:
    nested = "[" * 900 + leaf + "]" * 900
    data = f'[{{"artwork_id": "1", "title": ["A", {nested}, "C\\ud800"], "image_uri": "a.jpg"}}]'
    put(place, art__json=data.encode(), a__jpg=jpeg())
    assert read(place, "art.json")["title"].to_pylist() == ["A, B, C�"]


@pytest.mark.slow
def test_a_message_names_some_of_many_columns(place: Place) -> None:
    put(place, art__json=json.dumps({f"k{n}": {"title": "A"} for n in range(5000)}).encode())
    with pytest.raises(CatalogError, match=r"it has: k0, k1, .* and 4,950 more;") as raised:
        read(place, "art.json")
    assert len(str(raised.value)) < 1000


def test_a_name_twice_among_parquets_columns_is_refused(place: Place) -> None:
    columns = [pa.array(["1"]), pa.array(["A"]), pa.array(["a.jpg"]), pa.array(["B"])]
    table = pa.table(columns, names=["artwork_id", "title", "image_uri", "title"])
    put(place, art__parquet=parquet(table), a__jpg=jpeg())
    with pytest.raises(CatalogError, match=r"art\.parquet: column 'title' occurs twice"):
        read(place, "art.parquet")


def test_a_missing_file_among_pictures_inside_costs_itself(place: Place) -> None:
    column = pictures(embedded("red", "x.jpg"), {"bytes": None, "path": "gone.jpg"})
    put(place, art__parquet=parquet(pa.table({"artwork_id": ["1", "2"], "image": column})))
    notes = Notes()
    assert read(place, "art.parquet", notes=notes)["artwork_id"].to_pylist() == ["1", "2"]
    assert notes.left_out["images named that are not there"][0] == 1


def test_a_missing_file_among_web_addresses_costs_itself(place: Place) -> None:
    put(place, art__csv=b"artwork_id,image_uri\n1,https://x.org/a.jpg\n2,gone.jpg\n")
    notes = Notes()
    assert read(place, "art.csv", notes=notes).num_rows == 2
    assert notes.left_out["images named that are not there"][0] == 1


def test_pictures_may_begin_after_many_empty_rows(place: Place) -> None:
    column = pictures(*[None] * 100, embedded("red", "x.jpg"))
    ids = [str(number) for number in range(101)]
    put(place, art__parquet=parquet(pa.table({"artwork_id": ids, "image": column})))
    assert ingested(config(place, "art.parquet")) == {"100": jpeg("red")}


def test_lists_of_a_fixed_length_hold_pictures(place: Place) -> None:
    column = pa.array([[jpeg("red"), jpeg("blue")]], pa.list_(pa.binary(), 2))
    put(place, art__parquet=parquet(pa.table({"artwork_id": ["1"], "image": column})))
    assert ingested(config(place, "art.parquet")) == {"1": jpeg("red")}


LONG = "x" * 500_000


@pytest.mark.parametrize(
    "text",
    [
        f"artwork_id,image_uri\n{LONG},http://x.test/a\n{LONG},http://x.test/b\n",
        f"artwork_id,image_uri\n1,{LONG}.jpg\n",
        f"artwork_id,image_uri\n1,{LONG}\n",
        f"number,{LONG}\n1,http://x.test/a\n",
        f"artwork_id,{LONG},{LONG}\n1,a,b\n",
    ],
)
def test_no_message_repeats_a_cell_without_end(place: Place, text: str) -> None:
    put(place, art__csv=text.encode())
    with pytest.raises(CatalogError) as raised:
        read(place, "art.csv")
    assert len(str(raised.value)) < 2_000


@pytest.mark.parametrize("begin", ["", "data:image/jpeg;base64,"])
def test_pictures_as_text_are_called_so(place: Place, begin: str) -> None:
    picture = begin + base64.b64encode(jpeg() * 10).decode()
    put(place, art__csv=f'artwork_id,image_uri\n1,"{picture}"\n2,"{picture}"\n'.encode())
    with pytest.raises(CatalogError, match="the cells hold the pictures themselves, as text"):
        read(place, "art.csv")


def test_the_example_of_an_omission_is_short(place: Place) -> None:
    notes = Notes()
    table = f"artwork_id,image_uri\n{LONG},\n2,http://x.test/b\n"
    put(place, art__csv=table.encode())
    assert read(place, "art.csv", notes=notes)["artwork_id"].to_pylist() == ["2"]
    assert all(len(line) < 2_000 for line in notes.summary())
