"""Tables of published answers: each form, and rows and tables that are none."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simsearch.catalog import answer_files
from simsearch.catalog.answer_files import ReadAnswers, read_answers
from simsearch.catalog.notes import Notes
from simsearch.catalog.records import load_records
from simsearch.errors import CatalogError
from simsearch.settings.config import Config

IDS = ["1999.10", "a", "b", "c", "d"]


def read(path: Path, text: str | None = None) -> ReadAnswers:
    if text is not None:
        path.write_text(text, encoding="utf-8")
    notes = Notes()
    records = load_records(str(path), Config().catalog, Config().storage, notes)
    return read_answers(records, IDS, notes)


def named(result: ReadAnswers) -> dict[tuple[str, str], float]:
    columns = (result.queries.tolist(), result.items.tolist(), result.grades.tolist())
    return {(IDS[own], IDS[item]): grade for own, item, grade in zip(*columns, strict=True)}


def test_groups_answer_each_other_and_an_odd_row_costs_one_row(tmp_path: Path) -> None:
    text = (
        "artwork,group\n1999.10,x\na,x\na,y\nb,y\nc,z\nd,\n,x\ngone,x\na,x\n1999.1,x\n"  # ten rows
    )
    result = read(tmp_path / "answers.csv", text)
    assert named(result) == {
        ("1999.10", "a"): 1, ("a", "1999.10"): 1, ("a", "b"): 1, ("b", "a"): 1
    }  # fmt: skip
    assert result.used == 4
    assert result.notes.left_out == {
        "rows without a group": (1, "row 6"),
        "rows without an artwork": (1, "row 7"),
        "rows whose artwork is no artwork of this collection": (2, "row 8"),
        "rows that repeat an earlier one": (1, "row 9"),
        "rows whose group has no other artwork of this collection": (1, "row 5"),
    }


def test_graded_pairs_have_their_grade_and_one_direction(tmp_path: Path) -> None:
    rows = ["query\tartwork\tgrade", "a\tb\t2", "a\tc\t0", "b\ta\t-1", "a\td\thigh", "a\td\tnan"]
    rows += ["a\td\t1e9", "a\ta\t1", "a\tb\t2", "a\tb\t3", "\tb\t1", "gone\tb\t1"]
    result = read(tmp_path / "answers.tsv", "\n".join(rows) + "\n")
    assert named(result) == {("a", "b"): 2, ("a", "c"): 0, ("b", "a"): -1}
    counts = {reason: count for reason, (count, _) in result.notes.left_out.items()}
    assert counts == {
        "rows with a grade that is no number up to 1,000": 3,
        "rows in which an artwork is an answer to itself": 1,
        "rows that repeat an earlier one": 1,
        "rows with another grade than an earlier row of the same pair": 1,
        "rows without a query": 1,
        "rows whose query is no artwork of this collection": 1,
    }
    assert result.used + sum(counts.values()) == len(rows) - 1


def test_pairs_of_a_parquet_file_have_grade_1(tmp_path: Path) -> None:
    path = tmp_path / "answers.parquet"
    pq.write_table(pa.table({"query": ["a", "1999.10"], "artwork": ["b", "d"]}), path)
    result = read(path)
    assert named(result) == {("a", "b"): 1, ("1999.10", "d"): 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("artwork,title\na,b\n", "neither groups nor pairs; give a table with the columns"),
        ("query,artwork,group\na,b,x\n", "the columns of both groups and pairs"),
        ("artwork,group\ngone,x\nlost,x\n", "no row is an answer .* 2 rows whose artwork"),
        ("query,artwork,grade\na,b,0\n", "no row is an answer"),
    ],
)
def test_a_table_without_answers_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CatalogError, match=rf"answers\.csv: {words}"):
        read(tmp_path / "answers.csv", text)


@pytest.mark.parametrize(
    "text", ["artwork,group\na,x\nb,x\nc,x\n", "query,artwork\n" + "a,b\n" * 4]
)
def test_a_table_of_too_many_pairs_is_refused(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_files, "MOST_PAIRS", 3)
    with pytest.raises(CatalogError, match=r"[46] pairs of artworks, and at most 3 are scored"):
        read(tmp_path / "answers.csv", text)
