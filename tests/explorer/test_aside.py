"""An export takes the place of an earlier one at once, and of nothing else."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from simsearch.errors import UsageError
from simsearch.explorer.aside import MARKER, write_aside


def export(target: Path, *names: str, kind: str = "pages") -> None:
    with write_aside("--export", str(target), kind, "0" * 16) as new:
        for name in names:
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(name)


def interrupted(target: Path) -> None:
    with write_aside("--export", str(target), "pages", "1" * 16) as new:
        (new / "half.html").write_text("half")
        raise KeyboardInterrupt


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_nothing_of_an_earlier_export_is_left(tmp_path: Path) -> None:
    target = tmp_path / "public"
    export(target, "index.html", "thumbnails/removed.webp")
    export(target, "index.html", "thumbnails/kept.webp")
    assert names(tmp_path) == {
        f"public/{name}" for name in ("index.html", "thumbnails/kept.webp", MARKER)
    }


def test_an_interrupted_export_leaves_the_earlier_one(tmp_path: Path) -> None:
    target = tmp_path / "public"
    export(target, "index.html")
    with pytest.raises(KeyboardInterrupt):
        interrupted(target)
    assert names(tmp_path) == {"public/index.html", f"public/{MARKER}"}


@pytest.mark.parametrize("swapped", [False, True])
def test_one_that_was_killed_in_its_swap_is_finished(tmp_path: Path, swapped: bool) -> None:
    target, old = tmp_path / "public", tmp_path / ".public.simsearch-old"
    export(target, "earlier.html")
    target.rename(old)
    if swapped:
        export(tmp_path / "aside", "later.html")
        (tmp_path / "aside").rename(target)
    with pytest.raises(KeyboardInterrupt):
        interrupted(target)
    assert names(tmp_path) == {
        f"public/{MARKER}",
        f"public/{'later' if swapped else 'earlier'}.html",
    }


def test_a_failed_rename_puts_the_earlier_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "public"
    export(target, "index.html")
    rename = Path.rename

    def full(path: Path, to: Path) -> Path:
        if path.name.endswith("-new"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(UsageError, match="No space left"):
        export(target, "later.html")
    assert names(tmp_path) == {"public/index.html", f"public/{MARKER}"}


def test_two_at_once_are_one(tmp_path: Path) -> None:
    target = tmp_path / "public"
    with write_aside("--export", str(target), "pages", "1" * 16) as new:
        (new / "index.html").write_text("first")
        with pytest.raises(UsageError, match="another export is writing there"):
            export(target, "second.html")
    assert names(target) == {"index.html", MARKER}


@pytest.mark.parametrize(
    ("stranger", "message"),
    [
        ("letter.txt", "did not write .such as letter.txt"),
        ("empty/", "did not write .such as empty"),
        (".git/HEAD", "did not write .such as .git/HEAD"),
    ],
)
def test_a_strangers_file_stays(tmp_path: Path, stranger: str, message: str) -> None:
    target = tmp_path / "public"
    export(target, "index.html")
    path = target / stranger
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if stranger.endswith("/") else path.write_text("mine")
    with pytest.raises(UsageError, match=message):
        export(target, "index.html")
    assert path.exists()
    assert (target / "index.html").exists()


def test_only_an_export_of_its_kind_is_replaced(tmp_path: Path) -> None:
    export(tmp_path / "atlas", "space.parquet", kind="atlas")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    for name in ("atlas", "file", "mine"):
        with pytest.raises(UsageError, match="no earlier export of this kind"):
            export(tmp_path / name, "index.html")
    with pytest.raises(UsageError, match="mount point"):
        export(Path("/proc"), "index.html")
    assert names(tmp_path) == {f"atlas/{MARKER}", "atlas/space.parquet", "file", "mine/letter.txt"}


def test_a_link_is_kept_and_what_it_leads_to_replaced(tmp_path: Path) -> None:
    export(tmp_path / "real", "earlier.html")
    (tmp_path / "public").symlink_to("real")
    export(tmp_path / "public", "later.html")
    assert (tmp_path / "public").is_symlink()
    assert names(tmp_path / "real") == {"later.html", MARKER}
