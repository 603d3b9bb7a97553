"""Verdicts as files: what is exported comes back, an odd row costs itself, annotations lie where they should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from simsearch.cli.main import exit_code
from simsearch.judgements.verdicts import (
    FOLDER,
    Given,
    Verdict,
    add_verdicts,
    read_verdicts,
    verdict_parts,
)
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.explorer_pairs import ANOTHER, COPY, COPY_SIZE, FIRST, SIZE, TRUE

pytestmark = pytest.mark.slow

AT = "2026-01-0{}T09:30:00.250000+00:00"
AWAY = "f" * 64  # of a picture that the snapshot does not have


@pytest.fixture
def root(pairs_snapshot: Snapshot) -> Iterator[Storage]:
    yield pairs_snapshot.storage
    forget(pairs_snapshot.storage)


def forget(storage: Storage) -> None:
    for info in storage.files(FOLDER):
        storage.delete(f"{FOLDER}/{info.path}")


@pytest.fixture
def given(root: Storage, pairs_snapshot: Snapshot) -> list[Given]:
    """A verdict of each kind, by names that a spreadsheet takes for something else."""
    images = pairs_snapshot.images()
    ids, hashes = images["artwork_id"].to_pylist(), images["content_hash"].to_pylist()
    first, copy, another = (hashes[ids.index(name)] for name in (FIRST, COPY, ANOTHER))
    verdicts = [
        Given(copy, first, Verdict.DETAIL_OF, "=Ada", AT.format(1)),
        Given(first, another, Verdict.NOT, "Löwe; Ben, “x”", AT.format(2)),
        Given(another, AWAY, Verdict.SAME_SERIES, "+1", AT.format(3)),
        Given(copy, AWAY, Verdict.SAME_SCAN, "Ada", AT.format(3)),
        Given(first, AWAY, Verdict.COPY_AFTER, "Ada", AT.format(4)),
        Given(copy, another, Verdict.SAME_OBJECT, "Ada", AT.format(4)),
    ]
    add_verdicts(root, verdicts)
    return verdicts


def command(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert exit_code(["verdicts", *words]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_is_exported_is_what_is_imported(
    root: Storage,
    given: list[Given],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ending: str,
) -> None:
    file = str(tmp_path / f"said.{ending}")
    before = read_verdicts(root)
    assert "6 verdicts" in command(capsys, "export", file, root.root)
    assert '"=' not in Path(file).read_bytes().decode("utf-8", "replace") or ending == "parquet"
    forget(root)
    said = command(capsys, "import", file, root.root)
    assert said == "6 rows: 6 verdicts stored, 0 known before, 0 left out\n"
    assert read_verdicts(root) == before
    assert set(before.values()) == set(given)
    said = command(capsys, "import", file, root.root)
    assert said == "6 rows: 0 verdicts stored, 6 known before, 0 left out\n"
    assert verdict_parts(root).stored().table.num_rows == 6


def test_an_odd_row_costs_itself(
    root: Storage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, at = "a" * 64, "B" * 64, "2026-01-05T10:00:00+01:00"
    rows = [
        (a, b, "Same Object", "Ada", at),
        (a, b, "same scan", "Ada", at),  # what she did not say at the same time
        (a, a, "not", "Ada", at),
        ("../x", b, "not", "Ada", at),
        (a, b, "perhaps", "Ada", at),
        (a, b, "not", " ", at),
        (a, b, "not", "Ada", "2026-01-05"),
        (a, b, "not", "Ada", "9000-01-01T00:00:00+00:00"),
        (a, b, "not", "Ada", "9999-12-31T23:59:59-23:00"),
    ]
    file = tmp_path / "said.csv"
    header = "first_hash;second_hash;verdict;who;at;note"
    lines = [header, *(";".join((*row, "x")) for row in rows), "too;few"]
    file.write_text("\n".join(lines), encoding="utf-8")
    said = command(capsys, "import", str(file), root.root)
    assert said == "10 rows: 1 verdicts stored, 0 known before, 9 left out\n"
    expected = Given(a, b.lower(), Verdict.SAME_OBJECT, "Ada", "2026-01-05T09:00:00.000000+00:00")
    assert list(read_verdicts(root).values()) == [expected]
    file.write_text("first_hash,who\nx,y\n")
    assert exit_code(["verdicts", "import", str(file), root.root]) == 1
    assert "no column second_hash and no verdict and no at" in capsys.readouterr().err


def test_annotations_name_canvases_that_there_are_and_the_part_that_both_show(
    root: Storage,
    pairs: httpx.Client,
    given: list[Given],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "said.json"
    said = command(
        capsys, "export", str(file), root.root, "--address", str(pairs.base_url).rstrip("/")
    )
    assert "3 annotations" in said
    assert "3 on pictures that the published snapshot does not show, left out" in said
    page = json.loads(file.read_text())
    assert page["type"] == "AnnotationPage"
    for annotation in page["items"]:
        for target in annotation["target"]:
            canvas = canvas_of(pairs, target)
            if "selector" in target:
                left, top, width, height = region(target)
                assert min(left, top, width, height) >= 0
                assert left + width <= canvas["width"]
                assert top + height <= canvas["height"]
    (listed,) = (entry for entry in page["items"] if "selector" in entry["target"][0])
    assert listed["creator"]["name"] == "=Ada"
    assert [body["value"] for body in listed["body"]] == [
        "detail of",
        "the first is a detail of the second",
    ]
    copy, first = listed["target"]
    places = np.stack(np.meshgrid(*(np.linspace(0, side, 400) for side in SIZE)), -1).reshape(-1, 2)
    ends = np.column_stack([places, np.ones(len(places))]) @ TRUE.T
    both = ((ends[:, :2] >= 0) & (ends[:, :2] <= COPY_SIZE)).all(1)
    for target, size, seen in ((first, SIZE, places[both]), (copy, COPY_SIZE, ends[both, :2])):
        canvas = canvas_of(pairs, target)
        scale = canvas["width"] / size[0], canvas["height"] / size[1]
        left, top, width, height = region(target)
        corners = np.array([[left, top], [left + width, top + height]]) / scale
        assert corners == pytest.approx(np.array([seen.min(0), seen.max(0)]), abs=0.015 * size[0])


def region(target: dict[str, dict[str, str]]) -> list[int]:
    return [int(side) for side in target["selector"]["value"].removeprefix("xywh=").split(",")]


def canvas_of(pairs: httpx.Client, target: dict[str, dict[str, str]]) -> dict[str, int]:
    """The canvas of a target, as its manifest on the server has it."""
    source = target["source"]
    manifest = pairs.get(source["partOf"][0]["id"]).json()  # type: ignore[index]
    assert manifest["id"] == source["partOf"][0]["id"]  # type: ignore[index]
    (canvas,) = (canvas for canvas in manifest["items"] if canvas["id"] == source["id"])
    return dict(canvas)


def test_verdicts_are_listed_newest_first(
    root: Storage, given: list[Given], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = command(capsys, "list", root.root).splitlines()
    assert len(lines) == len(given)
    assert lines[-1] == f"2026-01-01  =Ada  detail of: {COPY}, {FIRST}"
    assert [line[:10] for line in lines] == sorted((g.at[:10] for g in given), reverse=True)
    rows = json.loads(command(capsys, "list", root.root, "--json"))
    assert {row["who"] for row in rows} == {g.who for g in given}
