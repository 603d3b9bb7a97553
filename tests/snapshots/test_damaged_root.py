"""A root with a damaged pointer, a lost snapshot or files of others: each costs one line, nothing is lost."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from simsearch.cli.main import exit_code
from simsearch.errors import GuardError, StorageError
from simsearch.runs.records import list_records, record_run
from simsearch.settings.config import load_config
from simsearch.settings.sections.operation import PublishConfig
from simsearch.snapshots.garbage import find_garbage
from simsearch.snapshots.guard import check_publishable
from simsearch.snapshots.published import latest_snapshot, read_latest
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot

DAMAGED_POINTERS = {
    "empty": b"",
    "text": b"hello",
    "list": b"[]",
    "null": b"null",
    "cut": b'{"snapshot_id": "0123',
    "number": b'{"snapshot_id": 3, "fencing_token": 1, "withdrawn": []}',
    "path": b'{"snapshot_id": "../../etc", "fencing_token": 1, "withdrawn": []}',
    "bytes": b"\xff\xfe\x00",
    "more": b'{"snapshot_id": "0123456789abcdef", "fencing_token": 1, "withdrawn": [], "x": 1}',
}


@pytest.fixture
def root(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "root"))


def run_command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = exit_code(words)
    return code, *capsys.readouterr()


@pytest.mark.slow
@pytest.mark.parametrize("data", DAMAGED_POINTERS.values(), ids=DAMAGED_POINTERS)
def test_a_damaged_pointer_is_named_and_mended_as_the_message_says(
    root: Storage, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    snapshot = make_snapshot(root, {"a": "1", "b": "2", "c": "3"})
    root.write_bytes("LATEST", data)
    where = f"root={root.root}"
    for words in (("snapshots", "list"), ("snapshots", "verify"), ("snapshots", "gc", "--keep=1")):
        code, _, err = run_command(capsys, *words, where)
        assert (code, err.count("\n")) == (1, 1)
        assert "LATEST: not a pointer to a snapshot" in err
        assert "snapshots rollback ID" in err
    code, _, err = run_command(capsys, "snapshots", "rollback", snapshot.snapshot_id, where)
    assert code == 0
    assert "which snapshots had been rolled back is not known any more" in err
    assert root.read_bytes("damaged/LATEST") == data
    assert latest_snapshot(root) == snapshot
    assert run_command(capsys, "snapshots", "verify", where)[0] == 0


@pytest.mark.slow
def test_a_pointer_to_a_snapshot_that_is_gone_is_named_and_mended(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    older = make_snapshot(root, {"a": "1", "b": "2", "c": "3"})
    newer = make_snapshot(root, {"a": "1", "b": "2", "c": "3", "d": "4"})
    root.delete(newer.manifest_path)
    where = f"root={root.root}"
    code, out, err = run_command(capsys, "snapshots", "verify", where)
    assert code == 1
    assert f"{older.snapshot_id}: whole" in out
    assert f"LATEST: points to {newer.snapshot_id}, which is not there" in err
    with pytest.raises(StorageError, match="rollback"):
        latest_snapshot(root)
    assert run_command(capsys, "snapshots", "rollback", older.snapshot_id, where)[0] == 0
    latest = read_latest(root)
    assert latest is not None
    assert latest.snapshot_id == older.snapshot_id


@pytest.mark.slow
def test_one_damaged_manifest_hides_no_other_snapshot_and_stops_the_garbage_collection(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = make_snapshot(root, {"a": "1", "b": "2", "c": "3"})
    whole = make_snapshot(root, {"a": "1", "b": "2", "c": "3", "d": "4"})
    root.write_bytes(broken.manifest_path, b"{")
    where = f"root={root.root}"
    code, out, _ = run_command(capsys, "snapshots", "verify", where)
    assert code == 1
    assert f"{whole.snapshot_id}: whole" in out
    assert f"{broken.snapshot_id}/manifest.json: not valid JSON" in out
    code, out, _ = run_command(capsys, "snapshots", "list", where)
    assert code == 0
    assert whole.snapshot_id in out
    assert f"{broken.snapshot_id}  damaged" in out
    code, _, err = run_command(capsys, "snapshots", "gc", "--keep=1", "--grace=0s", where)
    assert code == 1
    assert f"{broken.snapshot_id}/manifest.json" in err
    assert root.exists(broken.plan_path)


def test_a_published_snapshot_without_its_scores_is_not_compared_with(root: Storage) -> None:
    older = make_snapshot(root, {"a": "1", "b": "2", "c": "3"})
    newer = make_snapshot(root, {"a": "1", "b": "2", "c": "3", "d": "4"}, publish=False)
    older.storage.delete(older.metrics_path)
    with pytest.raises(GuardError, match=r"metrics.parquet.*publish.force=true"):
        check_publishable(older, newer, PublishConfig())


STRANGERS = [
    "notes.txt",
    ".DS_Store",
    "features/.DS_Store",
    "features/notes.txt",
    "features/test/notes.parquet",
    "snapshots/.DS_Store",
    "snapshots/notes.txt",
    "snapshots/my notes/a.txt",
    "catalog/notes.parquet",
    "thumbnails/readme.webp",
    "trained/notes.txt",
    "runs/notes.json",
    "runs/.DS_Store",
    "sources/notes.parquet",
    "sources/Thumbs.db",
]


@pytest.mark.slow
def test_files_of_others_are_left_alone_and_stop_nothing(
    root: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = make_snapshot(root, {"a": "1", "b": "2", "c": "3"})
    fingerprint = snapshot.plan().spaces[0].fingerprint
    strangers = [name.replace("/test/", f"/{fingerprint}/") for name in STRANGERS]
    folder = Path(root.root.removeprefix("file://"))
    for name in [*strangers, f"{snapshot.folder}/.DS_Store"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not ours")
        os.utime(folder / name, (0, 0))
    assert find_garbage(root, keep=1, older_than=time.time() - 60) == []
    code, out, _ = run_command(capsys, "snapshots", "verify", f"root={root.root}")
    assert (code, out) == (0, f"{snapshot.snapshot_id}: whole\n")
    for words in (("snapshots", "list"), ("runs",), ("snapshots", "gc", "--keep=1")):
        assert run_command(capsys, *words, f"root={root.root}")[0] == 0
    assert all((folder / name).exists() for name in strangers)


def test_a_record_of_a_later_version_or_a_damaged_one_stops_no_night(
    root: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    config = load_config(None, [f"root={root.root}"])
    with record_run(config, "run") as record:
        record.outcome = "published"
    root.write_json(record.path, {**record.to_json(), "new": {"of": "a later version"}})
    root.write_bytes("runs/20260101T000000Z-00000000.json", b"{}")
    root.write_bytes("runs/20260101T000000Z-00000001.json", b"[1]")
    root.write_bytes("runs/20260101T000000Z-00000002.json", b"\xff")
    assert [stored.run_id for stored in list_records(root)] == [record.run_id]
    assert caplog.text.count("it is left out") == 3
