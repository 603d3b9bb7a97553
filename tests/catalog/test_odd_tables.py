"""Tables as museums and their programs really write them, on disk and on S3."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simsearch.catalog.decoding import decode_text
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from tests.support.catalogs import jpeg
from tests.support.odd_tables import put, read
from tests.support.places import Place

COLUMNS = "catalog.columns={artwork_id: číslo, title: název, artists: autor, image_uri: obrázek}"


CZECH = (
    "číslo{0}název{0}autor{0}obrázek\n"
    "1{0}Žena s květinou, studie{0}Josef Čapek{0}a.jpg\n"
    "2{0}Říp v zimě{0}Otakar Nejedlý{0}b.jpg\n"
)


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [(";", "cp1250"), ("\t", "utf-8"), (";", "utf-16"), ("|", "utf-8-sig"), (",", "utf-16-le")],
)
def test_a_table_of_any_program_is_read_and_the_guess_is_said(
    place: Place, delimiter: str, encoding: str
) -> None:
    text = CZECH.format(delimiter).replace(", studie", "" if delimiter == "," else ", studie")
    put(place, art__csv=text.encode(encoding), a__jpg=jpeg(), b__jpg=jpeg())
    notes = Notes()
    table = read(place, "art.csv", COLUMNS, notes=notes)
    assert table["artists"].to_pylist() == [["Josef Čapek"], ["Otakar Nejedlý"]]
    assert table["title"].to_pylist()[1] == "Říp v zimě"
    assert table["etag"].null_count == 0
    words = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}[delimiter]
    assert any(f"separated by {words}" in line for line in notes.lines)
    if encoding == "cp1250":
        assert any("read as cp1250, a guess (“číslo;název" in line for line in notes.lines)


def test_the_encoding_and_the_delimiter_can_be_set(place: Place) -> None:
    text = "artwork_id!title!image_uri\n1!Été!a.jpg\n"
    put(place, art__csv=text.encode("mac_roman"), a__jpg=jpeg())
    table = read(place, "art.csv", "catalog.encoding=mac_roman", "catalog.delimiter='!'")
    assert table["title"].to_pylist() == ["Été"]
    with pytest.raises(CatalogError, match=r"catalog\.encoding: no encoding 'klingon'"):
        read(place, "art.csv", "catalog.encoding=klingon")
    with pytest.raises(CatalogError, match="not utf-8 text"):
        read(place, "art.csv", "catalog.encoding=utf-8")


def test_excels_separator_line_and_ragged_rows(place: Place) -> None:
    text = "sep=;\nartwork_id;title;image_uri\n1;A, b;a.jpg\n2;too;many;cells\n3;NA;b.jpg\n"
    put(place, art__csv=text.encode(), a__jpg=jpeg(), b__jpg=jpeg())
    notes = Notes()
    table = read(place, "art.csv", notes=notes)
    assert table["title"].to_pylist() == ["A, b", "NA"]  # NA is a title here, not a missing value
    assert notes.left_out["rows with too few or too many cells"] == (1, "row 2 has 4 instead of 3")


RECORDS: list[dict[str, Any]] = [
    {
        "id": "cmoa:1",
        "title": "Old Trees",
        "creator": [{"full_name": "Ann"}, {"full_name": "Bob"}],
        "images": [{"image_url": "a.jpg"}, {"image_url": "other.jpg"}],
    },
    {"id": "cmoa:2", "title": "No picture", "creator": [], "images": []},
    {"id": 3, "title": None, "creator": [{"full_name": None}], "images": [{"image_url": "b.jpg"}]},
]


NESTED = "catalog.columns={artwork_id: id, artists: 'creator[].full_name', image_uri: 'images[0].image_url'}"


@pytest.mark.parametrize("kind", ["lines", "array", "under a key", "folder"])
def test_nested_json_records_by_path(place: Place, kind: str) -> None:
    lines = [json.dumps(record).encode() for record in RECORDS]
    storage = put(place, a__jpg=jpeg(), b__jpg=jpeg())
    source = "art.json"
    if kind == "lines":
        storage.write_bytes(source, b"\n".join(lines) + b"\n")
    elif kind == "array":
        storage.write_bytes(source, b"[" + b",".join(lines) + b"]")
    elif kind == "under a key":
        storage.write_bytes(source, b'{"info": {}, "records": [' + b",".join(lines) + b"]}")
    else:
        source = ""
        for number, line in enumerate(lines):
            storage.write_bytes(f"records/{number}.json", line)
    notes = Notes()
    table = read(place, source, NESTED, notes=notes)
    assert table["artwork_id"].to_pylist() == ["3", "cmoa:1"]
    assert table["artists"].to_pylist() == [[], ["Ann", "Bob"]]
    assert table["image_uri"].to_pylist()[1].endswith("folder/a.jpg")
    assert notes.left_out["rows without an image"][0] == 1


def test_an_excel_workbook_is_read_and_its_sheet_said(place: Place) -> None:
    put(place, art__xlsx=workbook(), a__jpg=jpeg(), b__jpg=jpeg())
    notes = Notes()
    table = read(
        place,
        "art.xlsx",
        "catalog.columns={artwork_id: Nr, title: Titel, date: Jahr, image_uri: Bild}",
        notes=notes,
    )
    assert table["artwork_id"].to_pylist() == ["1", "2"]  # not 1.0
    assert table["title"].to_pylist() == ["Mädchen mit Äpfeln", "Straße"]
    assert table["date"].to_pylist() == ["1884", None]
    assert any("sheet 'Objekte', the first filled one of 2" in line for line in notes.lines)


def workbook() -> bytes:
    """A workbook as Excel stores one, an empty sheet before the filled one."""
    cells: list[list[Any]] = [
        ["Nr", "Titel", "Jahr", "Bild"],
        [1, "Mädchen mit Äpfeln", 1884, "a.jpg"],
        [2, "Straße", None, "b.jpg"],
    ]

    def cell(value: Any, name: str) -> str:
        if value is None:
            return ""
        if isinstance(value, int):
            return f'<c r="{name}"><v>{value}</v></c>'
        return f'<c r="{name}" t="inlineStr"><is><t>{value}</t></is></c>'

    rows = "".join(
        f'<row r="{y}">'
        + "".join(cell(value, f"{'ABCD'[x]}{y}") for x, value in enumerate(row))
        + "</row>"
        for y, row in enumerate(cells, start=3)
    )
    space = "http://schemas.openxmlformats.org"
    kinds = f"{space}/officeDocument/2006/relationships"
    sheet = '<worksheet xmlns="{}/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{space}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="r" '
        f'Type="{kinds}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{space}/spreadsheetml/2006/main" xmlns:r="{kinds}"><sheets>'
        '<sheet name="Deckblatt" sheetId="1" r:id="r1"/><sheet name="Objekte" sheetId="2" r:id="r2"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{space}/package/2006/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{kinds}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in (1, 2)
        )
        + "</Relationships>",
        "xl/worksheets/sheet1.xml": sheet.format(space, ""),
        "xl/worksheets/sheet2.xml": sheet.format(space, rows),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_parquet_with_nested_columns(place: Place) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([RECORDS[0]]), buffer)
    put(place, art__parquet=buffer.getvalue(), a__jpg=jpeg())
    assert read(place, "art.parquet", NESTED)["artists"].to_pylist() == [["Ann", "Bob"]]


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 75219874\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (LFS, "a Git LFS pointer, not the table itself; run `git lfs pull`"),
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html></html>", "a web page or XML, not a table"),
        (b"%PDF-1.7", "a PDF, not a table"),
        (b"PAR1 broken", "not a readable Parquet file"),
        (b"PK\x03\x04 broken", "a zip archive that is broken"),
        (b"\x1f\x8b broken", "broken gzip"),
        (b"[{", "not valid JSON"),
        (b"[1, 2]", "no list of records"),
        (b"a,a\n1,2\n", "column 'a' occurs twice"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(place: Place, data: bytes, message: str) -> None:
    put(place, Artworks__csv=data)
    with pytest.raises(CatalogError, match=message):
        read(place, "Artworks.csv")
    if data == LFS:
        with pytest.raises(CatalogError, match="git lfs pull"):
            read(place, "Artworks.csv", "catalog.reader=moma")


@pytest.mark.slow
def test_a_mapping_is_proposed_ready_to_paste(place: Place) -> None:
    text = "Inv.-Nr.;Künstler;Titel;Datierung;Technik;Bilddatei\n7;Ann;A;1884;Öl;a.jpg\n"
    put(place, art__csv=text.encode("cp1252"), a__jpg=jpeg())
    with pytest.raises(CatalogError) as raised:
        read(place, "art.csv")
    message = str(raised.value)
    assert message.count("\n") == 0
    pasted = message.partition("try ")[2].replace("'", "")
    assert pasted == (
        'catalog.columns={image_uri: Bilddatei, artwork_id: "Inv.-Nr.", title: Titel, '
        'artists: "Künstler", date: Datierung, medium: Technik}'
    )
    assert read(place, "art.csv", pasted)["artists"].to_pylist() == [["Ann"]]


@pytest.mark.slow
def test_a_mapping_is_proposed_for_nested_records(place: Place) -> None:
    put(place, art__json=json.dumps(RECORDS).encode())
    with pytest.raises(CatalogError) as raised:
        read(place, "art.json")
    for part in (
        'image_uri: "images[0].image_url"',
        "artwork_id: id",
        'artists: "creator[].full_name"',
    ):
        assert part in str(raised.value)


def test_an_id_that_occurs_twice_is_named_with_both_rows(place: Place) -> None:
    put(place, art__csv=b"artwork_id,image_uri\n1,a.jpg\n2,b.jpg\n1,c.jpg\n")
    with pytest.raises(CatalogError, match="artwork id '1' occurs twice: row 1 and row 3;"):
        read(place, "art.csv")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
@pytest.mark.parametrize(
    "row",
    ["日本美術館収蔵作品絵画上野東海道五十三次名所図会", "Портрет девочки в праздничном наряде"],
)
def test_utf_16_without_a_mark_is_known_in_any_script(row: str, encoding: str) -> None:
    """Only the separators and the line ends of such a text have zero bytes."""
    text = "".join(f"{number},{row}\n" for number in range(10))
    notes = Notes()
    assert decode_text(text.encode(encoding), None, "a.csv", notes) == text
    assert notes.lines == []


def test_stray_zero_bytes_make_no_utf_16() -> None:
    for text in ("1,A\0B\n2,\0\n3,C\n", "100\0,Aaa\0\n", "a,b\n\0c,d\n\0"):
        assert decode_text(text.encode() * 9, None, "a.csv", Notes()) == text * 9
