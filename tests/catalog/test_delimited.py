"""Delimited text of any writer comes back cell by cell, and no quote swallows a row."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.catalog.delimited import read_delimited
from simsearch.catalog.lines import Lines
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from tests.support.cases import case
from tests.support.catalogs import read

ROWS = 400
LETTERS = "ab1 'é日\t;|,\"\n\r\x0b\x0c\x1c\x85\u2028\u2029\\"


def cells_of(text: str, delimiter: str | None = None) -> tuple[list[list[str | None]], Notes]:
    notes = Notes()
    table, *_ = read_delimited(text, delimiter, "art.csv", notes)
    return [list(row.values()) for row in table.to_pylist()], notes


def by_csv(rows: list[list[str]], delimiter: str, end: str, quoting: Any) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return buffer.getvalue()


def by_pandas(rows: list[list[str]], delimiter: str, end: str, quoting: Any) -> str:
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype=str)
    return frame.to_csv(index=False, sep=delimiter, lineterminator=end, quoting=quoting)


@pytest.mark.slow
@pytest.mark.parametrize("writer", [by_csv, by_pandas])
@given(
    cells=st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.text(LETTERS, max_size=8), min_size=width, max_size=width), max_size=6
        )
    ),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_what_a_writer_wrote_comes_back_cell_by_cell(
    writer: Callable[..., str],
    cells: list[list[str]],
    delimiter: str,
    end: str,
    quoting: Any,
) -> None:
    if quoting == csv.QUOTE_MINIMAL and sys.version_info < (3, 13):
        # Its writer leaves a carriage return outside quotes, where it ends a line.
        cells = [[cell.replace("\r", "") for cell in row] for row in cells]
    rows = [[f"id-{number}", *row] for number, row in enumerate(cells)]
    width = max((len(row) for row in rows), default=2)
    header = [f"c{number}" for number in range(width)]
    text = writer([header, *rows], delimiter, end, quoting)
    came_back, notes = cells_of(text, delimiter)
    assert came_back == [[cell or None for cell in row] for row in rows]
    assert notes.left_out == {}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_any_line_end_ends_a_line_and_ids_stay_as_written(end: str) -> None:
    ids = ["1999.10", "1999.1", "0012.5", "00123", "1e5", "NA", "null", "True", "-0", "1_000"]
    text = end.join(["artwork_id,image_uri", *(f"{identity},a.jpg" for identity in ids)]) + end
    cells, _ = cells_of(text)
    assert [row[0] for row in cells] == ids


def test_line_ends_may_be_mixed() -> None:
    cells, notes = cells_of("a,b\r\n1,x\n2,y\r3,z\r\n\r\n4,w")
    assert cells == [["1", "x"], ["2", "y"], ["3", "z"], ["4", "w"]]
    assert notes.left_out == {}


def painted(delimiter: str, changed: dict[int, str]) -> str:
    """A table of ROWS pictures; the titles of some rows are changed."""
    titles = [changed.get(row, f"Title {row}") for row in range(ROWS)]
    rows = [
        delimiter.join([f"{row:04}", title, f"img/{row}.jpg", f"{1500 + row}"])
        for row, title in enumerate(titles)
    ]
    return "\n".join([delimiter.join(["artwork_id", "title", "image_uri", "date"]), *rows]) + "\n"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize(
    "changed",
    [
        {10: '"Untitled', 300: 'Ship" in harbour'},
        {10: '"Untitled', 300: 'Ship"'},
        {10: '"Untitled', 300: '"Boat'},
        {10: '"Untitled', 11: 'Ship"'},
        {10: '"Untitled', 300: '"Boat"'},
        {10: '"Untitled" (study)', 300: '5" plate'},
        {10: '"The "great" wave"', 300: 'A "wave"'},
    ],
)
def test_a_lone_quote_swallows_no_row(delimiter: str, changed: dict[int, str]) -> None:
    cells, notes = cells_of(painted(delimiter, changed))
    assert [row[0] for row in cells] == [f"{row:04}" for row in range(ROWS)]
    assert [row[2] for row in cells] == [f"img/{row}.jpg" for row in range(ROWS)]
    assert [row[3] for row in cells] == [f"{1500 + row}" for row in range(ROWS)]
    assert notes.left_out == {}
    assert any(
        "quotes that enclose no whole cell" in line and "line 12" in line for line in notes.lines
    )


@pytest.mark.parametrize("row", [0, 10, ROWS - 1])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_quote_that_nothing_closes_is_refused_with_its_line(delimiter: str, row: int) -> None:
    with pytest.raises(
        CatalogError, match=rf"art\.csv: line {row + 2} opens a quote that no later"
    ):
        cells_of(painted(delimiter, {row: '"Untitled'}))


def test_a_cell_that_spans_lines_is_read_and_named() -> None:
    text = 'id,title,image\n1,"A\nB, ""c""",a.jpg\n2,C,b.jpg\n3,"D\n\nE",c.jpg\n'
    cells, notes = cells_of(text)
    assert cells == list(map(list, csv.reader(io.StringIO(text))))[1:]
    assert notes.lines == ["art.csv: 2 rows have a cell that spans lines (first: lines 2 to 3)"]


def test_quotes_behind_backslashes_are_read_as_their_writer_meant_them() -> None:
    rows = [["id", "title", "image"], ["1", 'The "great", wave', "a.jpg"], ["2", 'B "b"\nC', "b"]]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, escapechar="\\", doublequote=False, lineterminator="\n").writerows(rows)
    assert cells_of(buffer.getvalue())[0] == rows[1:]


def test_rows_of_another_width_are_left_out_with_their_lines() -> None:
    text = 'a,b,c\n1,x,y\n2,x\n3,"x\ny"\n4,x,y,,\n5,x,y,z\n,,\n \n6,"x, y",z\n'
    cells, notes = cells_of(text)
    assert [row[0] for row in cells] == ["1", "4", "6"]
    reason = "rows with too few or too many cells"
    assert notes.left_out[reason] == (3, "row 2 has 2 instead of 3")


def test_a_cell_may_be_longer_than_the_csv_modules_limit() -> None:
    long = "x" * 200_000
    cells, _ = cells_of(f'id;title\n0012.50;"{long};\n"\n1999.10;B\n')
    assert cells == [["0012.50", f"{long};\n"], ["1999.10", "B"]]


def test_names_of_columns_may_be_missing_but_not_occur_twice() -> None:
    notes = Notes()
    table, *_ = read_delimited("\ufeffid,,b,,\n1,2,3,4,5\n", None, "art.csv", notes)
    assert table.column_names == ["id", "column 2", "b", "column 4", "column 5"]
    assert "3 columns have no name" in notes.lines[0]
    with pytest.raises(CatalogError, match="column 'b' occurs twice"):
        cells_of("id,b, b\n1,2,3\n")


def test_nul_characters_are_dropped_and_said() -> None:
    cells, notes = cells_of("id,title\n1\0,A\0\0\n")
    assert cells == [["1", "A"]]
    assert "3 NUL characters were left out" in notes.lines[0]


@pytest.mark.slow
@given(st.lists(st.sampled_from(['"', ",", "\n", "a", "1", "\\"]), max_size=40).map("".join))
def test_every_line_of_any_text_is_accounted_for(body: str) -> None:
    """Each line that is not blank belongs to an artwork, to a row that is left out, or is refused."""
    notes = Notes()
    try:
        table, *_ = read_delimited(f"x,y\n{body}", ",", "art.csv", notes)
    except CatalogError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert "opens a quote" in refusal
        return
    rows = list(Lines(f"x,y\n{body}", ",").rows())
    assert len(rows) == table.num_rows + sum(count for count, _ in notes.left_out.values())
    covered = [line for row in rows for line in range(row.first, row.last + 1)]
    assert len(covered) == len(set(covered))
    lines = f"x,y\n{body}".split("\n")
    filled = {number for number, line in enumerate(lines[1:], start=2) if line.strip(", ")}
    assert filled <= set(covered)


def test_rows_keep_their_number_where_others_are_left_out(tmp_path: Any) -> None:
    (tmp_path / "art.csv").write_text(
        "artwork_id,image_uri\n1,http://x/a\n2\n3,http://x/b\n1,http://x/c\n"
    )
    with pytest.raises(CatalogError, match="occurs twice: row 1 and row 4"):
        read(tmp_path, "catalog.reader=table", f"catalog.source={tmp_path}/art.csv")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("lone-quote.tsv", [f"{number:03}" for number in range(8)]),
        ("mac.csv", ["0012.5", "1999.10", "1999.20", "2001.30"]),
        ("mac-twice.csv", ["1999.1", "1999.10", "2001.3"]),
        ("u2028.jsonl", ["0", "1", "2"]),
        ("binary-text.parquet", ["a1", "a2"]),
        ("objects.csv.bz2", ["0", "1", "2"]),
        ("two-names-in-a-cell.csv", ["1", "2", "3"]),
        ("pictures-inside.parquet", ["a", "b"]),
    ],
)
def test_the_shared_cases_have_their_ids_and_pictures(
    tmp_path: Any, name: str, ids: list[str]
) -> None:
    source = case(f"tables/{name}")
    table = read(tmp_path, "catalog.reader=table", f"catalog.source={source}")
    assert table["artwork_id"].to_pylist() == ids
    assert table["etag"].null_count == 0


def test_a_formula_of_a_text_is_that_text_as_spreadsheets_show_it() -> None:
    """Other formulas stay: what they would give is not known."""
    text = 'id,"=""image"""\n="00123",a.jpg\n"=""1,5 """"x""""""",="b.jpg"\n=1+1,"=""a""&""b"""\n="",c\n'
    table, *_ = read_delimited(text, None, "art.csv", notes := Notes())
    assert table.to_pylist() == [
        {"id": "00123", "image": "a.jpg"},
        {"id": '1,5 "x"', "image": "b.jpg"},
        {"id": "=1+1", "image": '="a"&"b"'},
        {"id": None, "image": "c"},
    ]
    assert notes.lines == [
        'art.csv: 4 cells are formulas of a text and read as that text (first: ="00123")'
    ]
