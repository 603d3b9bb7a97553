"""Judgements by command line: a sheet asks, its answers are stored once, exported, withdrawn, never lost."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from simsearch.cli.main import exit_code
from simsearch.judgements.judgements import (
    FOLDER,
    add_judgements,
    judgement_parts,
    read_judgement_history,
    read_judgements,
)
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.judging import judgement

pytestmark = pytest.mark.slow

COUNT = 40
QUESTION = "=style"  # what a spreadsheet computes


@pytest.fixture
def root(snapshot: Snapshot) -> Iterator[Storage]:
    yield snapshot.storage
    forget(snapshot.storage)


def forget(storage: Storage) -> None:
    for info in storage.files(FOLDER):
        storage.delete(f"{FOLDER}/{info.path}")


def command(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert exit_code(["judgements", *words]) == code
    printed = capsys.readouterr()
    return printed.err if code else printed.out


def ask(
    capsys: pytest.CaptureFixture[str], root: Storage, file: Path, who: str = "Ada"
) -> list[dict[str, str]]:
    words = ("--who", who, "--question", QUESTION, "--count", str(COUNT))
    said = command(capsys, "ask", str(file), root.root, *words)
    assert f"{COUNT} questions for {who}" in said
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def fill(file: Path, rows: list[dict[str, str]], answers: dict[int, str] | None = None) -> None:
    """Write a sheet with answers by row: those given, else what has the work's own picture, else left."""
    for number, row in enumerate(rows):
        own = "right" if row["right_hash"] == row["work_hash"] else "left"
        row["answer"] = (answers or {}).get(number, own)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_hides_what_proposed_the_pictures(
    root: Storage, snapshot: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ask(capsys, root, tmp_path / "sheet.csv")
    assert rows == ask(capsys, root, tmp_path / "again.csv")
    text = (tmp_path / "sheet.csv").read_text(encoding="utf-8")
    for space in snapshot.plan().spaces:
        assert f'"{space.name}"' not in text
        assert space.fingerprint not in text
    assert {row["answer"] for row in rows} == {""}
    assert all(row["work_id"] and row["left_id"] and row["right_picture"] for row in rows)
    checks = [row for row in rows if row["work_hash"] in (row["left_hash"], row["right_hash"])]
    assert len(checks) == COUNT // 20


def test_answers_are_stored_once_and_counted(
    root: Storage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.csv"
    rows = ask(capsys, root, sheet)
    fill(sheet, rows, {0: "BOTH", 1: "", 2: "perhaps"})
    said = command(capsys, "import", str(sheet), root.root)
    assert said == "40 rows: 38 answers stored, 0 known before, 1 not answered, 1 left out\n"
    said = command(capsys, "import", str(sheet), root.root)
    assert said == "40 rows: 0 answers stored, 38 known before, 1 not answered, 1 left out\n"
    stored = {given.asked: given for given in read_judgements(root)}
    assert stored[rows[0]["asked"]].answer == "both"
    for row in rows[3:]:
        given = stored[row["asked"]]
        assert given.question == QUESTION
        assert given.answer == row["answer"]
        assert (given.kind == "check") == (not given.left_space)
        assert given.left_hash == row["left_hash"]
    # What was answered is not asked again; what was not, is.
    again = ask(capsys, root, tmp_path / "next.csv")
    names = {row["asked"] for row in again}
    assert not names & set(stored)
    assert {rows[1]["asked"], rows[2]["asked"]} <= names
    # A judge who has second thoughts is heard.
    fill(sheet, rows, {0: "left"})
    assert "3 answers stored, 37 known" in command(capsys, "import", str(sheet), root.root)
    assert len(read_judgements(root)) == 40
    assert len(read_judgement_history(root)) == 41
    (outcome,) = json.loads(command(capsys, "list", root.root, "--json"))
    assert outcome["question"] == QUESTION
    assert sum(pair["answers"] for pair in outcome["preferences"]) == 36
    assert outcome["judges"] == [
        {
            "who": "Ada",
            "answers": 40,
            "repeats": 2,
            "repeats_agreeing": 0,
            "checks": 2,
            "checks_passed": 2,
        }
    ]  # always left, also where the sides were swapped
    assert "more until this is decided" in command(capsys, "list", root.root)


def test_a_row_that_was_changed_costs_itself(
    root: Storage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.csv"
    rows = ask(capsys, root, sheet)
    rows[0]["left_hash"] = "a" * 64
    rows[1]["who"] = "Ben"
    rows[2]["asked"] = "0" * 16 + "/0/3"
    rows[3]["asked"] = "../../etc"
    rows[4]["question"] = "subject"
    fill(sheet, rows)
    said = command(capsys, "import", str(sheet), root.root)
    assert "35 answers stored" in said
    assert "5 left out" in said


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_is_exported_is_what_is_imported(
    root: Storage, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    sheet, file = tmp_path / "sheet.csv", str(tmp_path / f"all.{ending}")
    fill(sheet, ask(capsys, root, sheet))
    command(capsys, "import", str(sheet), root.root)
    before = read_judgements(root)
    assert "40 answers" in command(capsys, "export", file, root.root)
    forget(root)
    said = command(capsys, "import", file, root.root)
    assert said == "40 rows: 40 answers stored, 0 known before, 0 not answered, 0 left out\n"
    assert read_judgements(root) == before
    assert "40 known before" in command(capsys, "import", file, root.root)
    assert "40 answers of Ada withdrawn" in command(capsys, "withdraw", root.root, "--who", "Ada")
    assert read_judgements(root) == []
    assert "no judgements yet" in command(capsys, "list", root.root)
    # What was withdrawn stays so, whoever imports an old table.
    assert "40 known before" in command(capsys, "import", file, root.root)
    assert read_judgements(root) == []


def test_bad_input_is_one_line(
    root: Storage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.csv"
    file.write_text("who,answer\nAda,left\n", encoding="utf-8")
    assert "no column asked" in command(capsys, "import", str(file), root.root, code=1)
    words = ("ask", str(tmp_path / "sheet.txt"), root.root, "--who", "Ada")
    assert ".csv or .parquet" in command(capsys, *words, code=2)
    words = ("ask", str(tmp_path / "sheet.csv"), root.root, "--who", " ")
    assert "--who" in command(capsys, *words, code=2)


def test_judges_at_once_lose_nothing(tmp_path: Path) -> None:
    """Six judges who store ten answers each, one by one, while parts are merged."""
    storage = Storage(str(tmp_path))

    def answer(who: int) -> None:
        for number in range(10):
            asked = f"{'0' * 16}/0/{number}"
            add_judgements(storage, [judgement(who=f"judge {who}", asked=asked)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(answer, range(6)))
    assert len(read_judgements(storage)) == 60
    assert judgement_parts(storage).stored().table.num_rows >= 60
