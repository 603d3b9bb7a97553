"""`simsearch snapshots …` on snapshots made by hand, with the command line that a user types."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from simsearch.cli.main import exit_code
from simsearch.errors import GuardError
from simsearch.images.thumbnails import thumbnail_path
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import PublishConfig
from simsearch.snapshots.diff import artwork_changes, diff, neighbour_changes
from simsearch.snapshots.guard import check_publishable
from simsearch.snapshots.published import latest_snapshot, list_snapshots, read_latest
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot

ABC = {"a": "1", "b": "2", "c": "3"}


def command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `simsearch WORDS`."""
    code = exit_code(words)
    return code, *capsys.readouterr()


@pytest.fixture
def root(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "root"))


def make_old(root: Storage, seconds: float = 30 * 86400) -> None:
    then = time.time() - seconds
    for path in Path(root.root.removeprefix("file://")).rglob("*"):
        os.utime(path, (then, then))


@pytest.mark.slow
def test_a_diff_names_what_was_added_changed_renamed_described_anew_and_removed(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make_snapshot(root, {**ABC, "gone": "4", "before": "5"}, recall=1.0)
    new = make_snapshot(
        root,
        {"a": "1", "b": "two", "c": "3", "new": "6", "after": "5"},
        recall=0.9,
        titles={"c": "[red]another title"},
    )
    changes = diff(old, new).artworks
    assert changes.added == ["new"]
    assert changes.changed == ["b"]
    assert changes.described_anew == ["c"]
    assert changes.renamed == [("before", "after")]
    assert changes.removed == ["gone"]
    code, out, _ = command(
        capsys, "snapshots", "diff", old.snapshot_id[:8], "latest", f"root={root.root}"
    )
    assert code == 0
    for line in ("removed: gone", "renamed: before → after", "changed: b", "added: new"):
        assert line in out
    assert "-0.1000" in out
    code, out, _ = command(
        capsys, "snapshots", "diff", old.snapshot_id, new.snapshot_id, f"root={root.root}", "--json"
    )
    assert json.loads(out)["metrics"][0]["after"] == 0.9


def test_two_renames_of_one_picture_are_paired_once_each() -> None:
    changes = artwork_changes(
        {"x1": ("same", ()), "x2": ("same", ()), "lost": (None, ())},
        {"y1": ("same", ()), "y2": ("same", ()), "y3": ("same", ()), "other": (None, ())},
    )
    assert changes.renamed == [("x1", "y1"), ("x2", "y2")]
    assert changes.added == ["other", "y3"]
    assert changes.removed == ["lost"]


def test_neighbour_lists_are_compared_over_the_artworks_in_both(root: Storage) -> None:
    old = make_snapshot(root, ABC)
    new = make_snapshot(root, {**ABC, "d": "4"})
    (change,) = neighbour_changes(old, new)
    lists: list[dict[str, list[str]]] = []
    for snapshot in (old, new):
        table = snapshot.storage.read_table(snapshot.neighbours_path("test", "exact"))
        lists.append({query: [] for query in table["query_id"].to_pylist()})
        for row in table.to_pylist():
            lists[-1][row["query_id"]].append(row["neighbour_id"])
    kept = [len(set(lists[0][query]) & set(lists[1][query])) / 2 for query in ABC]
    assert change.queries == 3
    assert change.kept == pytest.approx(sum(kept) / 3)
    assert change.moved == sum(lists[0][query] != lists[1][query] for query in ABC)


@pytest.mark.slow
def test_a_rolled_back_snapshot_stays_off(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = make_snapshot(root, ABC), make_snapshot(root, {**ABC, "d": "4"})
    code, out, _ = command(
        capsys, "snapshots", "rollback", old.snapshot_id[:10], f"root={root.root}"
    )
    assert code == 0
    assert new.snapshot_id in out
    assert latest_snapshot(root) == old
    latest = read_latest(root)
    assert latest is not None
    assert latest.withdrawn == (new.snapshot_id,)
    command(capsys, "snapshots", "rollback", new.snapshot_id, f"root={root.root}")
    latest = read_latest(root)
    assert latest is not None
    assert latest.withdrawn == (old.snapshot_id,)


@pytest.mark.slow
def test_the_list_marks_the_published_one(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = make_snapshot(root, ABC), make_snapshot(root, {**ABC, "d": "4"})
    code, out, _ = command(capsys, "snapshots", "list", f"root={root.root}", "--json")
    assert code == 0
    rows = json.loads(out)
    assert [(row["snapshot_id"], row["published"]) for row in rows] == [
        (new.snapshot_id, True),
        (old.snapshot_id, False),
    ]
    code, out, _ = command(capsys, "snapshots", "show", "latest", f"root={root.root}")
    assert json.loads(out)["inputs"]["code_version"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("snapshots/{id}/report/report.html", "not the bytes that were published"),
        ("snapshots/{id}/indexes/test/index.ann", "not the bytes that were published"),
        ("catalog/{catalog}.parquet", "not the catalog that went in"),
        ("{shard}", "not a readable Parquet file"),
    ],
)
def test_verify_finds_one_changed_byte(
    root: Storage, capsys: pytest.CaptureFixture[str], path: str, message: str
) -> None:
    snapshot = make_snapshot(root, ABC)
    code, out, _ = command(capsys, "snapshots", "verify", f"root={root.root}")
    assert (code, out) == (0, f"{snapshot.snapshot_id}: whole\n")
    (shard,) = root.files("features")
    name = path.format(
        id=snapshot.snapshot_id,
        catalog=snapshot.plan().catalog_id,
        shard=f"features/{shard.path}",
    )
    data = bytearray(root.read_bytes(name))
    data[-1] ^= 1
    root.write_bytes(name, bytes(data))
    code, out, err = command(capsys, "snapshots", "verify", f"root={root.root}")
    assert code == 1
    assert message in out
    assert "1 of 1 snapshots are damaged" in err


def test_verify_finds_missing_files_strange_ones_and_lost_vectors(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = make_snapshot(root, ABC)
    root.delete(snapshot.report_path)
    root.write_bytes(snapshot.path("stranger"), b"")
    (shard,) = root.files("features")
    root.delete(f"features/{shard.path}")
    code, out, _ = command(capsys, "snapshots", "verify", f"root={root.root}")
    assert code == 1
    assert "report/report.html: missing" in out
    assert "stranger: not part of the snapshot" in out
    assert "3 of 3 vectors are missing" in out


@pytest.mark.slow
def test_gc_keeps_whatever_a_kept_snapshot_refers_to(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = make_snapshot(root, {"x": "7", "y": "8", "z": "9"})
    kept = make_snapshot(root, {**ABC, "d": "4"})
    root.write_bytes("features/other-fingerprint/part-1.parquet", b"unused")
    root.write_bytes(thumbnail_path("7", 96), b"of a picture that is gone")
    root.write_bytes(thumbnail_path("4", 400), b"of one that is shown")
    (Path(root.root.removeprefix("file://")) / "catalog" / ".partial-1-x").write_bytes(b"half")
    words = ("snapshots", "gc", "--keep", "1", f"root={root.root}")
    code, out, _ = command(capsys, *words)
    assert (code, out.split()[0]) == (0, "0")  # all of it is younger than the grace period
    make_old(root)
    before = {info.path for info in root.files()}
    code, out, _ = command(capsys, *words, "--dry-run")
    assert "would be removed" in out
    assert {info.path for info in root.files()} == before
    code, out, _ = command(capsys, *words)
    assert code == 0
    removed = before - {info.path for info in root.files()}
    assert all(
        path.startswith((f"snapshots/{gone.snapshot_id}/", "features/", "catalog/", "thumbnails/"))
        for path in removed
    )
    assert [info.path for info in root.files("thumbnails")] == ["4-400.webp"]
    assert [snapshot.snapshot_id for snapshot in list_snapshots(root)] == [kept.snapshot_id]
    assert len(root.files("features")) == 1
    assert not list(Path(root.root.removeprefix("file://")).rglob(".partial-*"))
    code, out, _ = command(capsys, "snapshots", "verify", f"root={root.root}")
    assert (code, out) == (0, f"{kept.snapshot_id}: whole\n")


@pytest.mark.slow
def test_gc_never_removes_the_published_snapshot_or_one_in_the_making(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    published = make_snapshot(root, ABC)
    newer = make_snapshot(root, {**ABC, "d": "4"}, publish=False)
    command(capsys, "snapshots", "rollback", published.snapshot_id, f"root={root.root}")
    pending = make_snapshot(root, {**ABC, "e": "5"}, publish=False)
    root.delete(pending.manifest_path)
    make_old(root)
    command(capsys, "snapshots", "gc", "--keep", "1", f"root={root.root}")
    assert {snapshot.snapshot_id for snapshot in list_snapshots(root)} == {
        published.snapshot_id,
        newer.snapshot_id,
    }
    assert root.exists(pending.plan_path)


def test_misuse_is_one_line_and_exit_code_2(
    root: Storage, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = command(capsys, "snapshots", "list", f"root={tmp_path / 'nothing'}")
    assert (code, err.count("\n")) == (2, 1)
    make_snapshot(root, ABC)
    for words in (
        ("snapshots", "show", "nosuch"),
        ("snapshots", "gc", "--keep", "1", "--grace", "soon"),
        ("reindex", f"root={tmp_path / 'nothing'}"),
    ):
        code, _, err = command(
            capsys, *words, *([] if "reindex" in words else [f"root={root.root}"])
        )
        assert (code, err.count("\n")) == (2, 1), words
        assert err.startswith("error: ")


@pytest.mark.parametrize(
    ("artworks", "recall", "message"),
    [
        ({"a": "1", "b": "2"}, 1.0, "2 artworks with vectors, 3 before"),
        (ABC | {"d": "4"}, 0.9, "recall at 1 fell from 1.000 to 0.900"),
    ],
)
def test_the_guard_refuses_a_step_back(
    root: Storage, artworks: dict[str, str], recall: float, message: str
) -> None:
    old = make_snapshot(root, ABC)
    new = make_snapshot(root, artworks, recall=recall, publish=False)
    with pytest.raises(GuardError, match=message):
        check_publishable(old, new, PublishConfig())
    check_publishable(old, new, PublishConfig(max_catalog_shrink=0.5, max_recovery_drop=0.2))


def test_the_guard_compares_only_like_with_like(root: Storage) -> None:
    old = make_snapshot(root, ABC)
    fewer = Config.model_validate({"catalog": {"sample": 2}})
    smaller = make_snapshot(root, {"a": "1", "b": "2"}, config=fewer, publish=False)
    check_publishable(old, smaller, PublishConfig())
    other = Config.model_validate({"perturbations": {"profiles": ["sharpen"]}})
    harder = make_snapshot(root, ABC, recall=0.1, config=other, publish=False)
    check_publishable(old, harder, PublishConfig())
