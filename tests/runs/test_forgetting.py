"""An artwork that is taken down is nowhere in the root afterwards, and all else is as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.catalog.forgotten import FOLDER, Record, list_records, store_record
from simsearch.errors import UsageError
from simsearch.features import store as feature_store
from simsearch.features.points import AGREEMENTS, POINTS, agreements_parts, points_parts
from simsearch.judgements.judgements import add_judgements
from simsearch.judgements.verdicts import Given, Verdict, add_verdicts, verdict_parts
from simsearch.reading.library import Library
from simsearch.reading.set_names import TAKEN_DOWN, name_detail, name_like, name_way
from simsearch.reading.sets import ArtworkSet
from simsearch.reading.stored_sets import list_sets, store_set
from simsearch.reports.pictures import pictures_of
from simsearch.runs.forgetting.forget import find_removal, forget
from simsearch.runs.operations.lease import hold_lease
from simsearch.settings.config import Config
from simsearch.snapshots.published import list_snapshots
from simsearch.snapshots.root import open_root
from simsearch.snapshots.snapshot import Snapshot
from simsearch.snapshots.verification import verify
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage
from tests.support.explorer_site import GIVEN, NETWORK, publish_gallery, settings
from tests.support.file_texts import texts_of
from tests.support.judging import judgement

GONE = "a/003?&é"
WORD = "Étude no. 3 of a kind"


def with_title(rows: list[dict[str, object]]) -> None:
    rows[3]["title"] = WORD
    for row in rows:
        row["etag"] = "e"


def publish(folder: Path, count: int) -> tuple[Config, Snapshot]:
    config = settings(str(folder / "data"))
    open_root(Storage(config.root))
    return config, publish_gallery(config, folder / "data/images/downloaded", count, with_title)


def proposed_names(title: str) -> tuple[str, ...]:
    """The names of sets that pages propose where an artwork of that title has a part."""
    return (
        name_like(title, NETWORK),
        name_detail(title),
        name_way(title, "Sea"),
        name_way("Sea", title),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of two snapshots with everything that may name an artwork."""
    folder = tmp_path_factory.mktemp("forget")
    config, first = publish(folder, 8)
    _, second = publish(folder, 9)
    storage = first.storage
    images = first.images()
    (digest,) = {row["content_hash"] for row in images.to_pylist() if row["artwork_id"] == GONE}
    uri = storage.uri("images/downloaded/003.png")
    note = {"image_uri": uri, "etag": "e", "content_hash": digest}
    write_part(
        storage, "sources", [note, {**note, "image_uri": "x", "content_hash": "y"}], schemas.SOURCES
    )
    reject = {"artwork_id": GONE, "image_uri": uri, "stage": "decode", "reason": "unreadable"}
    write_part(storage, "rejects", [reject], schemas.REJECTS)
    store_points(storage, digest, "other")
    document = {"url": "https://x/1", "checked": 1.0, "content": json.dumps({"label": WORD})}
    write_part(storage, "iiif", [document], schemas.WEB_DOCUMENTS)
    storage.write_json("runs/20260101T000000Z-ab.json", {"error": f"{GONE}: cut off"})
    for name in ("damaged/features/part-1.parquet", "features/.partial-ab-part-1.parquet"):
        storage.write_bytes(name, GONE.encode())
    for size in (96, 400):
        storage.write_bytes(f"thumbnails/{digest}-{size}.webp", b"RIFF")
    view = Library(config, [config.root]).view(second.snapshot_id)
    store_set(view, ArtworkSet("all", tuple(range(len(view)))))
    store_set(view, ArtworkSet("only", (view.artwork(GONE).number,)))
    for name in proposed_names(WORD):
        store_set(view, ArtworkSet(name, (0, 1)))
    return folder


def store_points(storage: Storage, *hashes: str) -> None:
    rows = [{"content_hash": name, "count": 0, "points": b"SIFT"} for name in hashes]
    points_parts(storage, "sift").write(pa.Table.from_pylist(rows, schema=POINTS))
    pairs = [{"first_hash": name, "second_hash": "z"} for name in hashes]
    pairs += [{"first_hash": "0", "second_hash": name} for name in hashes]
    table = pa.Table.from_pylist(pairs, schema=AGREEMENTS)
    agreements_parts(storage, "sift-1").write(table)
    at = "2026-01-01T00:00:00.000000+00:00"
    add_verdicts(storage, [Given(name, "z", Verdict.NOT, "me", at) for name in hashes])
    add_judgements(storage, [judgement(left_hash=name) for name in hashes])


def take_down(config: Config, artwork_id: str = GONE) -> None:
    storage = Storage(config.root)
    with hold_lease(storage, config.lease) as lease:
        forget(config, storage, find_removal(storage, artwork_id), lease)


def copy_of(made: Path, folder: Path) -> Config:
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return settings(str(folder / "data"))


def check_gone(config: Config, digest: str, vectors: dict[str, np.ndarray]) -> None:
    storage = Storage(config.root)
    root = Path(config.root)
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.parent.name == FOLDER:
            continue
        text, data = texts_of(path), path.read_bytes()
        for needle in (GONE, WORD, digest):
            assert needle not in text, (path, needle)
        for vector in vectors.values():
            unit = vector / np.linalg.norm(vector)
            assert vector.tobytes() not in data, path
            assert unit.astype(np.float32).tobytes() not in data, path
    for snapshot in (Snapshot(storage, name) for name in list_records(storage)[-1].snapshots):
        assert list(verify(snapshot)) == []


def pictures(storage: Storage, snapshot: Snapshot) -> tuple[str, dict[str, np.ndarray]]:
    rows = snapshot.images().to_pylist()
    place = next(
        n for n, row in enumerate(rows) if row["artwork_id"] == GONE and not row["profile"]
    )
    spaces = snapshot.plan().spaces
    return str(rows[place]["content_hash"]), {
        space.name: feature_store.read_vectors(storage, space, snapshot.images())[place]
        for space in spaces
    }


@pytest.mark.slow
def test_nothing_of_it_is_left(made: Path, tmp_path: Path) -> None:
    config = copy_of(made, tmp_path)
    storage = Storage(config.root)
    names = [snapshot.snapshot_id for snapshot in list_snapshots(storage)]
    digest, vectors = pictures(storage, Snapshot(storage, names[0]))
    before = {name: Library(config, [config.root]).view(name) for name in names}
    counted = {name: Snapshot(storage, name).counts() for name in names}
    take_down(config)
    check_gone(config, digest, vectors)
    assert points_parts(storage, "sift").stored().table["content_hash"].to_pylist() == ["other"]
    assert agreements_parts(storage, "sift-1").stored().table.num_rows == 2
    assert verdict_parts(storage).stored().table["first_hash"].to_pylist() == ["other"]
    listed = {
        snapshot.snapshot_id: snapshot for snapshot in Library(config, [config.root]).listed()
    }
    for name in names:
        counts = Snapshot(storage, name).counts()
        assert counts.artworks == counted[name].artworks - 1 == listed[name].artworks
        assert counts.images == counted[name].images - 1 - len(
            Snapshot(storage, name).plan().profiles
        )
        assert counts.rejects == counted[name].rejects
        view, old = Library(config, [config.root]).view(name), before[name]
        assert len(view) == len(old) - 1
        assert view.number_of(GONE) is None
        for number in range(len(view)):
            artwork = view.artwork_at(number)
            for space in (NETWORK, GIVEN):
                was = [
                    old.artwork_of(near.item).artwork_id
                    for near in old.nearest_artworks(space, old.artwork(artwork.artwork_id), 20)
                ]
                now = [
                    view.artwork_of(near.item).artwork_id
                    for near in view.nearest_artworks(space, artwork, 20)
                ]
                assert set(now) == set(was) - {GONE}
    sets, damaged = list_sets(storage)
    assert {stored.name for stored in sets} == {"all", *proposed_names(TAKEN_DOWN)}
    assert damaged == []
    (record,) = list_records(storage)
    assert (record.artwork_id, record.snapshots) == (GONE, tuple(sorted(names)))
    assert record.finished
    assert {record.content_hashes, record.addresses, record.words} == {()}
    with pytest.raises(UsageError, match="it was taken down on 20"):
        find_removal(storage, GONE)
    with pytest.raises(UsageError, match="no such artwork"):
        find_removal(storage, "a/999")


class Killed(BaseException):
    """Ends a command as SIGKILL does: nobody catches it."""


WRITES = ("write_bytes", "delete", "upload")


@pytest.mark.slow
def test_killed_at_any_write_the_same_command_finishes(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is killed at its first write, the next one at its second write, and so on."""
    config = copy_of(made, tmp_path)
    storage = Storage(config.root)
    digest, vectors = pictures(storage, list_snapshots(storage)[0])
    plain = {name: getattr(Storage, name) for name in WRITES}
    killed, left, forgetting = 0, 0, [True]

    def counted(name: str) -> Callable[..., None]:
        def write(own: Storage, *words: object) -> None:
            nonlocal left
            left -= 1
            if left < 0 and forgetting[0]:
                raise Killed
            plain[name](own, *words)

        return write

    for name in WRITES:
        monkeypatch.setattr(Storage, name, counted(name))
    for allowed in range(1, 200):
        left = allowed
        try:
            take_down(config)
            break
        except Killed:
            killed += 1
    assert killed > 10
    forgetting[0] = False
    check_gone(config, digest, vectors)


def test_a_record_of_an_artwork_in_no_snapshot_is_read_back(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    record = Record("a", "forgotten-1", "me@here", "2026-01-01", "2026-01-02", ())
    store_record(storage, record)
    assert list_records(storage) == [record]


@pytest.mark.slow
def test_a_snapshot_without_any_artwork_left_has_a_report_without_pictures(tmp_path: Path) -> None:
    config = settings(str(tmp_path / "data"))
    open_root(Storage(config.root))
    snapshot = publish_gallery(config, tmp_path / "pictures", 2)
    for artwork_id in ("a/000?&e", "a/001?&é"):
        take_down(config, artwork_id)
    assert list(verify(snapshot)) == []
    view = Library(config, [config.root]).view(snapshot.snapshot_id)
    assert len(view) == 0
    assert pictures_of(view) == {}
