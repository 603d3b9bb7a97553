"""Tables that were edited by hand, joined, or damaged in a byte cost no row that is whole."""

from __future__ import annotations

import time

import pytest

from simsearch.catalog.decoding import decode_text
from simsearch.catalog.delimited import read_delimited
from simsearch.catalog.notes import Notes

HEADER = "id,title,image\n"


def cells_of(data: bytes) -> tuple[list[list[str | None]], list[str]]:
    notes = Notes()
    text = decode_text(data, None, "art.csv", notes)
    table, *_ = read_delimited(text, ",", "art.csv", notes)
    return [list(row.values()) for row in table.to_pylist()], notes.summary()


@pytest.mark.parametrize("blank", ["", ",,", "   ", " , ,", "\t", ",,,,"])
def test_a_blank_line_between_rows_is_no_row(blank: str) -> None:
    cells, said = cells_of(f"{HEADER}1,A,a.jpg\n{blank}\n2,B,b.jpg\n{blank}\n3,C,c.jpg\n".encode())
    assert cells == [["1", "A", "a.jpg"], ["2", "B", "b.jpg"], ["3", "C", "c.jpg"]]
    assert said == []


def test_empty_cells_behind_a_row_are_not_called_quotes() -> None:
    cells, said = cells_of(f"{HEADER}1,A,a.jpg,\n2,B,b.jpg,,\n".encode())
    assert cells == [["1", "A", "a.jpg"], ["2", "B", "b.jpg"]]
    assert said == [
        "art.csv: 2 rows have empty cells beyond the header's, left out (first: line 2)"
    ]


def test_joined_files_keep_their_ids_and_their_header_is_no_artwork() -> None:
    first_file, second_file = f"{HEADER}001,A,a.jpg\n", f'{HEADER}"002",B,b.jpg\n'
    cells, said = cells_of(first_file.encode("utf-8-sig") + second_file.encode("utf-8-sig"))
    assert cells == [["001", "A", "a.jpg"], ["002", "B", "b.jpg"]]
    assert "1 lines begin with a byte order mark" in said[0]
    assert said[1] == "left out: 1 rows that repeat the header (first: row 2)"


@pytest.mark.parametrize("bad", [b"Caf\xe9", "Café".encode()[:-1]])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_damaged_byte_costs_no_other_row_its_letters(bad: bytes, encoding: str) -> None:
    whole = [[f"č{number}", f"Žena {number}", f"ř{number}.jpg"] for number in range(50)]
    data = (HEADER + "".join(",".join(row) + "\n" for row in whole)).encode(encoding)
    cells, said = cells_of(data + b"x," + bad + b",x.jpg\n")
    assert cells[:-1] == whole
    assert (cells[-1][0], cells[-1][2]) == ("x", "x.jpg")
    assert str(cells[-1][1]).startswith("Caf")
    assert "1 lines are not UTF-8 as the others are" in said[0]
    assert "first: line 52, “x,Caf" in said[0]


def test_text_in_a_code_page_is_still_guessed_as_a_whole() -> None:
    text = HEADER + "".join(f"{number},Žena s květinou {number},a.jpg\n" for number in range(9))
    cells, said = cells_of(text.encode("cp1250"))
    assert cells[0][1] == "Žena s květinou 0"
    assert "read as cp1250, a guess" in said[0]


def test_spaces_before_quotes_split_no_cell() -> None:
    text = 'id, title, image\n1, "A, b", a.jpg\n2, "B", b.jpg\n3,"C, ""c"", d",c.jpg\n'
    cells, said = cells_of(text.encode())
    assert [row[:2] for row in cells] == [["1", "A, b"], ["2", "B"], ["3", 'C, "c", d']]
    assert said == ["art.csv: 2 rows have spaces around quoted cells, left out (first: line 2)"]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ('"Sun" and "Moon"', '"Sun" and "Moon"'),
        ('"Sun" (after "Moon")', '"Sun" (after "Moon")'),
        ('"12" x 10""', '12" x 10"'),
        ('"the "great" wave"', 'the "great" wave'),
        ('"Sun ""and"" Moon"', 'Sun "and" Moon'),
    ],
)
def test_quotes_around_two_words_are_letters(written: str, title: str) -> None:
    cells, _ = cells_of(f"{HEADER}1,{written},a.jpg\n".encode())
    assert cells[0][1] == title


@pytest.mark.slow
def test_reading_stays_linear_where_each_line_might_begin_a_long_row() -> None:
    def seconds(count: int) -> float:
        begin = time.process_time()
        cells_of(('a,b,c\n"b.jpg' + '"\n\n, ",' * count).encode())
        return time.process_time() - begin

    seconds(10)
    assert seconds(8000) < 8 * seconds(2000)


def test_a_latin_1_line_is_read_in_the_language_of_the_others() -> None:
    """In cp1250, which Czech has, the byte of ï is ď."""
    cells, said = cells_of(f"{HEADER}1,café,a\n2,über,b\n".encode() + b"3,na\xefve,c\n")
    assert [row[1] for row in cells] == ["café", "über", "naïve"]
    assert "read as cp1252, a guess" in said[0]
