"""Cells of workbooks come out as their sheets show them, and what has no value is named."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from simsearch.catalog.notes import Notes
from simsearch.catalog.paths import text as as_text
from simsearch.catalog.workbooks import read_workbook
from simsearch.errors import CatalogError
from tests.support.workbooks import rows, text, workbook

HEAD = text("A1", "id") + text("B1", "value")
# What Excel shows of a stored number in a format: days, days without their day or month, a length of
# time, words, errors of the calendar.
SHOWN = [
    ("yyyy-mm-dd", "36283", "1999-05-03"),
    ("[$-409]d-mmm-yy;@", "36283", "1999-05-03"),
    ("yyyy", "36161", "1999"),
    ("mmm-yy", "36281", "1999-05"),
    ("[h]:mm", "1.25", "30:00:00"),
    ("yyyy-mm-dd hh:mm", "36283.604166666664", "1999-05-03 14:30:00"),
    ("yyyy-mm-dd", "59", "1900-02-28"),
    ("yyyy-mm-dd", "60", "1900-02-29"),
    ("yyyy-mm-dd", "61", "1900-03-01"),
    ("yyyy-mm-dd", "-5", "-5"),
    ("yyyy-mm-dd", "0", "0"),
    ('"A-"000', "12", "A-012"),
    ('0" cm"', "12.5", "12.5"),
    ('0" cm"', "12", "12 cm"),
    ("0000\\.0000", "19991234", "1999.1234"),
    ("0000-00-0000", "1999010203", "1999-01-0203"),
    ("[Red]000;-000", "7", "007"),
    ("# ##0", "1234567", "1234567"),
    ("0%", "0.5", "0.5"),
    ("General", "12345678901234567", "12345678901234567"),
    ("General", "1.5E23", "150000000000000000000000"),
    ("General", "0.00001", "0.00001"),
]


def values(data: bytes, notes: Notes | None = None) -> list[dict[str, str | None]]:
    records, _ = read_workbook("art", data, notes or Notes())
    return [{name: as_text(cell) for name, cell in record.items()} for record in records]


def test_numbers_are_what_their_formats_show() -> None:
    formats = [code for code, _, _ in SHOWN]
    body = [
        f'{text(f"A{n + 2}", str(n))}<c r="B{n + 2}" s="{n}"><v>{number}</v></c>'
        for n, (_, number, _) in enumerate(SHOWN)
    ]
    records = values(workbook(rows(HEAD, *body), formats=formats))
    assert [record["value"] for record in records] == [words for _, _, words in SHOWN]


def test_days_are_counted_from_1904_where_the_workbook_says_so() -> None:
    sheet = rows(HEAD, text("A2", "a") + '<c r="B2" s="0"><v>34821</v></c>')
    (record,) = values(workbook(sheet, formats=["dd.mm.yyyy"], from_1904=True))
    assert record["value"] == (dt.date(1904, 1, 1) + dt.timedelta(34821)).isoformat()


@pytest.mark.parametrize("error", ["#N/A", "#SPILL!"])
def test_errors_and_formulas_without_a_value_are_empty_and_named(error: str) -> None:
    sheet = rows(
        HEAD,
        text("A2", "a") + f'<c r="B2" t="e"><v>{error}</v></c>',
        text("A3", "b") + '<c r="B3"><f>1+1</f></c>',
        text("A4", "c") + '<c r="B4"><f>1+1</f><v>2</v></c>',
    )
    notes = Notes()
    assert [record["value"] for record in values(workbook(sheet), notes)] == [None, None, "2"]
    lines = "\n".join(notes.lines)
    assert "1 cells with an error" in lines
    assert "(first: B2)" in lines
    assert "1 formulas without a stored value" in lines
    assert "(first: B3)" in lines


def test_a_cell_merged_over_rows_holds_for_each() -> None:
    sheet = rows(HEAD, text("A2", "a") + text("B2", "Rembrandt"), text("A3", "b"), text("A4", "c"))
    merged = '<mergeCells><mergeCell ref="B2:B3"/></mergeCells>'
    notes = Notes()
    records = values(workbook(sheet + merged), notes)
    assert [record["value"] for record in records] == ["Rembrandt", "Rembrandt", None]
    assert "merged over several rows" in notes.lines[0]


def test_lines_of_a_title_above_the_header_are_left_out_and_named() -> None:
    sheet = rows(
        text("A1", "List of 2020"), "", HEAD.replace("1", "3"), text("A4", "a") + text("B4", "x")
    )
    notes = Notes()
    merged = '<mergeCells><mergeCell ref="A1:B1"/></mergeCells>'
    assert values(workbook(sheet + merged), notes) == [{"id": "a", "value": "x"}]
    assert notes.lines == [
        "art: sheet 'S1' has its header in line 3; 1 lines above it are left out (first: List of 2020)"
    ]


def test_a_hidden_sheet_is_not_taken_before_a_visible_one() -> None:
    hidden = rows(HEAD, text("A2", "no") + text("B2", "x"))
    shown = rows(HEAD, text("A2", "yes") + text("B2", "x"))
    assert values(workbook(hidden, shown, hidden=1)) == [{"id": "yes", "value": "x"}]


def test_a_heading_that_is_a_year_is_called_by_it() -> None:
    sheet = rows(text("A1", "id") + '<c r="B1"><v>1999</v></c>', text("A2", "a") + text("B2", "x"))
    assert values(workbook(sheet)) == [{"id": "a", "1999": "x"}]


def test_a_stray_cell_at_the_sheets_end_is_refused_and_takes_no_memory() -> None:
    """A grid up to that cell would take 512 GiB, and its allocation ends the process."""
    stray = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    sheet = rows(HEAD, text("A2", "a")).replace("</sheetData>", stray)
    with pytest.raises(CatalogError, match="strewn over 1,048,576 rows and 16,384 columns"):
        read_workbook("art", workbook(sheet), Notes())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1e23, "1" + "0" * 23),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (float("inf"), "inf"),
        (float("nan"), None),
        (1999.5, "1999.5"),
        (dt.timedelta(hours=30, minutes=5), "30:05:00"),
        (dt.timedelta(seconds=-1.5), "-0:00:01.5"),
    ],
)
def test_numbers_and_lengths_of_time_are_written_out(value: Any, words: str | None) -> None:
    assert as_text(value) == words
