"""Files damaged before an artwork is taken down are still named as damaged afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from simsearch.snapshots.verification import verify
from simsearch.storage.storage import Storage
from tests.runs.test_forgetting import GONE, Killed, publish, take_down
from tests.support.explorer_site import NETWORK
from tests.support.file_texts import texts_of


@pytest.mark.slow
@pytest.mark.parametrize("writes", [0, 8, 16, 24])
def test_an_interrupted_removal_accepts_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """The command is killed after so many writes (0: never) and run again."""
    config, snapshot = publish(tmp_path, 8)
    storage = snapshot.storage
    replaced = snapshot.neighbours_path(NETWORK, "exact")
    storage.write_table(replaced, storage.read_table(replaced).slice(3))
    missing = snapshot.projection_path(NETWORK, "pca")
    storage.delete(missing)
    write, left = Storage.write_bytes, writes

    def counted(own: Storage, path: str, data: bytes) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        write(own, path, data)

    if writes:
        with monkeypatch.context() as patch:
            patch.setattr(Storage, "write_bytes", counted)
            with pytest.raises(Killed):
                take_down(config)
    take_down(config)
    assert sorted(verify(snapshot)) == sorted(
        [f"{replaced}: not the bytes that were published", f"{missing}: missing"]
    )
    path = Path(config.root.removeprefix("file://")) / replaced
    assert GONE not in texts_of(path)
