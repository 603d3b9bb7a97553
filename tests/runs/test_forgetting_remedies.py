"""A damaged file stops a removal with one line; whoever does what the line advises can end it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simsearch import schemas
from simsearch.cli.main import exit_code
from simsearch.snapshots.snapshot import Snapshot
from simsearch.snapshots.verification import verify
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage
from tests.support.file_texts import texts_of
from tests.support.small_snapshots import make_snapshot


def two_snapshots(folder: Path) -> tuple[Storage, Snapshot, Snapshot]:
    """A root whose two snapshots hold the artwork `gone`; the artwork `before` is only in the older one."""
    storage = Storage(str(folder / "root"))
    old = make_snapshot(storage, {"a": "1", "b": "2", "before": "3", "gone": "4"})
    new = make_snapshot(storage, {"a": "1", "b": "2", "c": "5", "gone": "4"})
    for snapshot in (old, new):
        remove_report(snapshot)
    note = {"image_uri": "x", "etag": "e", "content_hash": "4"}
    write_part(storage, "sources", [note], schemas.SOURCES)
    return storage, old, new


def remove_report(snapshot: Snapshot) -> None:
    """A report that was made by hand cannot be drawn anew."""
    manifest = snapshot.manifest()
    del manifest["files"][snapshot.report_path.removeprefix(f"{snapshot.folder}/")]
    snapshot.storage.write_json(snapshot.manifest_path, manifest)
    snapshot.storage.delete(snapshot.report_path)


def oldest_part(storage: Storage, folder: str) -> str:
    parts = sorted(storage.files(folder), key=lambda info: info.modified)
    return f"{folder}/{parts[0].path}"


def forget_by_command(storage: Storage, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and the errors on standard error."""
    code = exit_code(["snapshots", "forget", "gone", "--yes", f"root={storage.root}"])
    lines = capsys.readouterr().err.splitlines()
    return code, "\n".join(line for line in lines if " INFO " not in line)


def collect(storage: Storage) -> None:
    assert exit_code(["snapshots", "gc", "--keep=1", "--grace=0s", f"root={storage.root}"]) == 0


REMEDIES = ("nothing", "extract", "ingest", "gc of a catalog", "gc of images")


def file_of(remedy: str, storage: Storage, old: Snapshot, new: Snapshot) -> str:
    """The file that the remedy helps with."""
    paths = (
        oldest_part(storage, "sources"),
        oldest_part(storage, "features"),
        f"catalog/{new.plan().catalog_id}.parquet",
        f"catalog/{old.plan().catalog_id}.parquet",
        old.images_path,
    )
    return dict(zip(REMEDIES, paths, strict=True))[remedy]


@pytest.mark.slow
@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_damaged_file_stops_the_command_until_its_advice_is_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], remedy: str
) -> None:
    """`ingest` and `extract` write the lost files again, with the same bytes."""
    storage, old, new = two_snapshots(tmp_path)
    path = file_of(remedy, storage, old, new)
    data = storage.read_bytes(path)
    storage.write_bytes(path, data[: len(data) // 2])
    code, said = forget_by_command(storage, capsys)
    assert code == 1
    assert len(said.splitlines()) == 1
    assert path in said
    if remedy.startswith("gc"):
        assert "remove its snapshots with `simsearch snapshots gc`" in said
        collect(storage)
    elif remedy == "nothing":
        assert said.endswith(f"it lies in damaged/{path} now; give this command again")
    else:
        assert f"run `simsearch {remedy}`" in said
        storage.write_bytes(path, data)
    assert forget_by_command(storage, capsys) == (0, "")
    kept = [new] if remedy.startswith("gc") else [old, new]
    assert [list(verify(snapshot)) for snapshot in kept] == [[]] * len(kept)
    assert not any("gone" in texts_of(file) for file in files_of(storage))


@pytest.mark.slow
def test_vectors_that_nothing_brings_back_let_the_removal_end_without_their_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage, old, _ = two_snapshots(tmp_path)
    storage.delete(oldest_part(storage, "features"))
    code, said = forget_by_command(storage, capsys)
    assert code == 1
    assert f"snapshot {old.snapshot_id}, remove that snapshot with `simsearch snapshots gc`" in said
    # `simsearch extract` computes today's collection only, and `before` is no longer in it.
    remove_report(make_snapshot(storage, {"a": "1", "b": "2", "c": "5"}))
    collect(storage)
    assert forget_by_command(storage, capsys) == (0, "")
    assert not any("gone" in texts_of(file) for file in files_of(storage))


def files_of(storage: Storage) -> list[Path]:
    """The files of a root but the record of the removal, which names the artwork."""
    root = Path(storage.root.removeprefix("file://"))
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return [path for path in files if path.parent.name != "forgotten"]
