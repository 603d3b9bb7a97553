"""Excel's binary workbooks and OpenDocument's: what cells show, and sheets that would fill the memory."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from simsearch.catalog.notes import Notes
from simsearch.catalog.paths import text as as_text
from simsearch.catalog.workbooks import read_workbook
from simsearch.errors import CatalogError
from tests.support import binary_workbooks as binary
from tests.support.workbooks import rows, text, workbook

OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def columns(data: bytes, notes: Notes | None = None) -> dict[str, list[str | None]]:
    records, _ = read_workbook("art", data, notes or Notes())
    return {name: [as_text(record[name]) for record in records] for name in records[0]}


def ods(*rows: str) -> bytes:
    spaces = " ".join(f'xmlns:{name}="{OFFICE}:{name}:1.0"' for name in ("office", "table", "text"))
    manifest = f'<manifest:manifest xmlns:manifest="{OFFICE}:manifest:1.0"/>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="O">{"".join(rows)}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return buffer.getvalue()


def row(*cells: str, times: str = "1") -> str:
    return (
        f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'
    )


def word(value: str) -> str:
    return (
        f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
    )


def number(value: str, shown: str, times: str = "1") -> str:
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}" '
        f'table:number-columns-repeated="{times}"><text:p>{shown}</text:p></table:table-cell>'
    )


def test_a_workbook_of_excel_97_keeps_what_its_formats_show() -> None:
    notes = Notes()
    read = columns(binary.XLS, notes)
    assert read["artwork_id"] == binary.XLS_IDS
    assert read["artist"] == ["Rembrandt", "Rembrandt", *[None] * 7]
    assert "merged over several rows" in notes.lines[0]


def test_a_binary_workbook_keeps_what_its_formats_show() -> None:
    cells = {
        0: [binary.text(0, "id"), binary.text(1, "artist")],
        1: [binary.short(0, 123, 1), binary.text(1, "Rembrandt")],
        2: [binary.number(0, 1999.1, 2)],
        3: [binary.short(0, 36161, 3)],
        4: [binary.short(0, -5, 1)],
        5: [binary.error(0), binary.text(1, "x")],
    }
    notes = Notes()
    data = binary.xlsb(cells, ["General", "00000", "0.00", "yyyy"], binary.merge(1, 2, 1, 1))
    read = columns(data, notes)
    assert read["id"] == ["00123", "1999.10", "1999", "-5", None]
    assert read["artist"] == ["Rembrandt", "Rembrandt", None, None, "x"]
    assert "1 cells with an error such as #N/A, taken as empty (first: A6)" in notes.lines[0]


def test_a_repeated_row_keeps_its_zeros_however_often_it_is_repeated() -> None:
    repeated = row(number("7", "007"), word("x"), times="1500")
    read = columns(ods(row(word("id"), word("image")), repeated, row(number("8", "008"))))
    assert read["id"] == ["007"] * 1500 + ["008"]


def test_a_decimal_comma_keeps_its_zeros() -> None:
    body = [number("1999.1", "1999,10"), number("1999", "1,999"), number("0.5", "50,0 %")]
    read = columns(ods(row(*map(word, "abc")), row(*body)))
    assert read == {"a": ["1999.10"], "b": ["1999"], "c": ["0.5"]}


def test_tabs_and_line_breaks_within_a_cell_stay() -> None:
    body = [
        word("a<text:tab/>b"),
        word('a<text:span>b<text:line-break/></text:span><text:s text:c="2"/>c'),
        word("a</text:p><text:p>b<text:line-break/>c"),
    ]
    read = columns(ods(row(*map(word, "xyz")), row(*body)))
    assert read == {"x": ["a\tb"], "y": ["ab\n  c"], "z": ["a\nb\nc"]}


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        ([row(number("7", "007"), times="4000000000")], "strewn over 4,000,000,001 rows"),
        ([row(number("7", "007", "4000000000"))], "and 4,000,000,000 columns"),
        ([row(number("7", "007", "1000"), times="1000")] * 100, "strewn over 100,001 rows"),
        ([row(number("7", "007"), times="-5")], "number-rows-repeated '-5'"),
        ([row(number("7", "007"), times="1" + "0" * 30)], "number-rows-repeated '1000"),
    ],
)
def test_an_open_document_of_endless_repeats_is_refused(sheet: list[str], words: str) -> None:
    with pytest.raises(CatalogError, match=words):
        read_workbook("art", ods(row(word("id")), *sheet), Notes())


@pytest.mark.parametrize(
    "cell", ["<c r='XFD1048576'><v>1</v></c>", '<c r="xfd1048576"><v>1</v></c>']
)
def test_a_stray_cell_is_seen_however_its_place_is_written(cell: str) -> None:
    sheet = rows(text("A1", "id"), text("A2", "a"))
    stray = sheet.replace("</sheetData>", f'<row r="1048576">{cell}</row></sheetData>')
    with pytest.raises(CatalogError, match="strewn over 1,048,576 rows and 16,384 columns"):
        read_workbook("art", workbook(stray), Notes())


def test_a_stray_cell_of_a_binary_workbook_is_refused() -> None:
    cells = {0: [binary.text(0, "id")], 1: [], 1_048_575: [binary.text(16_383, "z")]}
    with pytest.raises(CatalogError, match="strewn over 1,048,576 rows and 16,384 columns"):
        read_workbook("art", binary.xlsb(cells, ["General"]), Notes())


def test_a_formatted_cell_without_a_value_is_no_stray_one() -> None:
    sheet = rows(text("A1", "id"), text("A2", "a"))
    blank = '<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    data = workbook(sheet.replace("</sheetData>", blank), formats=["0.00"])
    assert columns(data) == {"id": ["a"]}


@pytest.mark.parametrize("first_row", [0, 655_360])
def test_a_damaged_workbook_of_excel_97_is_refused(first_row: int) -> None:
    """The library would ask for 480 GiB for the rows that the sheet says it has, and end the process."""
    damaged = bytearray(binary.XLS)
    rows = 10 if first_row else 2**31
    struct.pack_into("<II", damaged, binary.XLS_SIZE, first_row, rows)
    with pytest.raises(CatalogError, match=f"a sheet of {rows:,} rows and 3 columns"):
        read_workbook("art", bytes(damaged), Notes())


def test_a_number_of_many_digits_has_a_format_too() -> None:
    sheet = rows(text("A1", "id"), '<c r="A2" s="0"><v>1E30</v></c>')
    assert columns(workbook(sheet, formats=["0.00"])) == {"id": ["1" + "0" * 30 + ".00"]}
