"""Storage: the same promises on local disk and on a real S3 server."""

from __future__ import annotations

import filecmp
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from simsearch.errors import ConflictError, NotFoundError, StorageError, UsageError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.parts import read_parts, write_part
from simsearch.storage.storage import Storage, list_uri, make_folder, read_uri
from simsearch.storage.uris import normalise_uri
from tests.support.places import Place

HARD_NAMES = [
    "plain.txt",
    "with space.txt",
    "ünïcödé.txt",
    "a+b.txt",
    "50%.txt",
    "what?.txt",
    "number#1.txt",
]


@pytest.fixture
def storage(place: Place) -> Storage:
    return Storage(place.root, place.config)


def test_what_is_written_is_read(storage: Storage) -> None:
    storage.write_bytes("a/b.bin", b"one")
    storage.write_bytes("a/b.bin", b"two")
    assert storage.read_bytes("a/b.bin") == b"two"
    assert storage.exists("a/b.bin")
    assert not storage.exists("a/c.bin")
    storage.write_json("c.json", {"ü": [1, None]})
    assert storage.read_json("c.json") == {"ü": [1, None]}


@pytest.mark.parametrize("name", HARD_NAMES)
def test_any_name_comes_back(storage: Storage, name: str) -> None:
    storage.write_bytes(f"folder/{name}", name.encode())
    assert storage.read_bytes(f"folder/{name}") == name.encode()
    (info,) = storage.files("folder")
    assert info.path == name
    assert read_uri(info.uri, storage.config) == name.encode()
    storage.delete(f"folder/{name}")
    assert storage.files("folder") == []


@pytest.mark.slow
def test_a_listing_is_sorted_and_complete_past_a_thousand(storage: Storage) -> None:
    names = [f"{number:05}" for number in range(1050)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: storage.write_bytes(f"many/{name}", b"x"), names))
    assert [info.path for info in storage.files("many")] == names
    assert {info.size for info in storage.files("many")} == {1}


def test_a_listing_may_end_at_its_folder(storage: Storage) -> None:
    for path in ("top/a", "top/b", "top/below/c", "top/below/it/d"):
        storage.write_bytes(path, b"x")
    listed = list_uri(storage.uri("top"), storage.config, depth=1)
    assert [(info.path, info.uri) for info in listed] == [
        (name, storage.uri(f"top/{name}")) for name in "ab"
    ]


def test_the_etag_changes_with_the_content(storage: Storage) -> None:
    etags = set()
    for content in (b"one", b"three", b"three!"):
        storage.write_bytes("file", content)
        etags.add(storage.files()[0].etag)
    assert len(etags) == 3


def test_an_absent_folder_lists_as_empty_and_an_absent_file_is_an_error(storage: Storage) -> None:
    assert storage.files("nowhere") == []
    with pytest.raises(NotFoundError, match="nowhere/file: nothing there"):
        storage.read_bytes("nowhere/file")
    with pytest.raises(NotFoundError):
        list_uri(storage.uri("nowhere"), storage.config)
    storage.delete("nowhere/file")


@pytest.mark.slow
def test_a_large_file_travels_whole(storage: Storage, tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    with source.open("wb") as file:  # 70 MiB: several parts
        for number in range(70):
            file.write(bytes([number, *range(255)]) * 4096)
    storage.upload(source, "large/file")
    storage.download("large/file", back)
    assert filecmp.cmp(source, back, shallow=False)
    assert storage.files("large")[0].size == source.stat().st_size


def test_reading_stops_just_past_the_limit(storage: Storage) -> None:
    storage.write_bytes("file", b"0123456789")
    assert read_uri(storage.uri("file"), storage.config, max_bytes=4) == b"01234"
    assert read_uri(storage.uri("file"), storage.config, max_bytes=10) == b"0123456789"


def test_a_table_comes_back_whole_or_by_columns(storage: Storage) -> None:
    table = pa.table({"id": [f"{n}" for n in range(1000)], "value": list(range(1000))})
    storage.write_table("t.parquet", table)
    assert storage.read_table("t.parquet").equals(table)
    assert storage.read_table("t.parquet", ["value"]).column_names == ["value"]


def test_a_broken_table_is_named(storage: Storage) -> None:
    storage.write_bytes("t.parquet", b"PAR1 not really")
    for columns in (None, ["id"]):
        with pytest.raises(StorageError, match=r"t\.parquet: not a readable Parquet file"):
            storage.read_table("t.parquet", columns)
    storage.write_bytes("j.json", b"{")
    with pytest.raises(StorageError, match=r"j\.json: not valid JSON"):
        storage.read_json("j.json")


def test_a_reader_never_sees_half_a_file(storage: Storage) -> None:
    versions = [bytes([number]) * 300_000 for number in range(12)]
    storage.write_bytes("file", versions[0])
    done = threading.Event()
    seen: list[bytes] = []

    def read() -> None:
        while not done.is_set():
            seen.append(storage.read_bytes("file"))

    reader = threading.Thread(target=read)
    reader.start()
    for version in versions[1:]:
        storage.write_bytes("file", version)
    done.set()
    reader.join()
    assert seen
    assert all(version in versions for version in seen)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    storage.write_bytes("file", b"old")
    with pytest.raises(StorageError):
        storage.upload(tmp_path / "absent", "file")
    assert storage.read_bytes("file") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_clear_line_and_loses_nothing(small_disk: Path) -> None:
    storage = Storage(str(small_disk))
    storage.write_bytes("file", b"old")
    with pytest.raises(StorageError, match="file: cannot write: the disk is full; free some space"):
        storage.write_bytes("file", b"x" * 2**21)
    assert storage.read_bytes("file") == b"old"
    assert [path.name for path in small_disk.iterdir()] == ["file"]


def test_a_file_in_the_place_of_a_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file")
    with pytest.raises(StorageError, match="a file is where a folder should be"):
        Storage(str(tmp_path / "root")).write_bytes("x/y", b"")


def test_a_wrong_secret_is_one_clear_line(s3_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    config = s3_place.config.model_copy(update={"timeout": 11})  # another client, other credentials
    with pytest.raises(StorageError, match=r"s3://tests-.*: cannot write: wrong secret key"):
        Storage(s3_place.root, config).write_bytes("file", b"")


def test_an_unknown_key_is_one_clear_line(s3_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    config = s3_place.config.model_copy(update={"timeout": 12})
    with pytest.raises(StorageError, match="does not know this access key"):
        Storage(s3_place.root, config).write_bytes("file", b"")


def test_a_bucket_that_does_not_exist_is_one_clear_line(s3_place: Place) -> None:
    storage = Storage("s3://no-such-bucket-here", s3_place.config)
    with pytest.raises(StorageError, match=r"s3://no-such-bucket-here.*bucket"):
        storage.write_bytes("file", b"")
    with pytest.raises(StorageError, match=r"s3://no-such-bucket-here.*bucket"):
        storage.read_bytes("file")


@pytest.mark.slow
def test_a_store_that_does_not_answer_is_given_up_on() -> None:
    config = StorageConfig(endpoint_url="http://127.0.0.1:9", attempts=2, timeout=1)
    with pytest.raises(StorageError, match="s3://bucket/x: cannot read"):
        Storage("s3://bucket", config).read_bytes("x")


@pytest.mark.parametrize("uri", ["gs://bucket/x", "ftp://host/x", "s3:///key"])
def test_a_uri_of_no_known_store_is_misuse(uri: str) -> None:
    with pytest.raises(UsageError, match="s3://bucket"):
        normalise_uri(uri)


def test_a_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert normalise_uri("a/../b/") == f"file://{tmp_path}/b"
    assert normalise_uri(f"file://{tmp_path}") == f"file://{tmp_path}"
    assert normalise_uri("s3://bucket/prefix/") == "s3://bucket/prefix"
    make_folder("c/d", StorageConfig())
    assert (tmp_path / "c" / "d").is_dir()


def test_a_swap_names_what_it_replaces(place: Place) -> None:
    storage = Storage(place.root, place.config)
    first = storage.replace("pointer", b"one", None)
    assert storage.read_versioned("pointer") == (b"one", first)
    second = storage.replace("pointer", b"two", first)
    for stale in (None, first):
        with pytest.raises(ConflictError, match="pointer: changed by another process"):
            storage.replace("pointer", b"three", stale)
    assert storage.read_versioned("pointer") == (b"two", second)
    assert [info.path for info in storage.files()] == ["pointer"]


def test_a_swap_that_got_through_unheard_counts(s3_place: Place) -> None:
    storage = Storage(s3_place.root, s3_place.config)
    first = storage.replace("pointer", b"one", None)
    second = storage.replace("pointer", b"two", first)
    assert storage.replace("pointer", b"two", first) == second


def test_racing_swaps_lose_no_update(place: Place) -> None:
    storage = Storage(place.root, place.config)
    storage.replace("count", b"0", None)

    def add(_: int) -> None:
        while True:
            data, version = storage.read_versioned("count")
            try:
                # The number of the try makes equal sums differ, as lease holders do.
                storage.replace(
                    "count", f"{int(data.split()[0]) + 1} {uuid.uuid4()}".encode(), version
                )
                return
            except ConflictError:
                continue

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(24)))
    assert storage.read_bytes("count").split()[0] == b"24"


def test_a_file_tells_when_it_was_written(place: Place) -> None:
    storage = Storage(place.root, place.config)
    storage.write_bytes("a", b"1")
    (info,) = storage.files()
    assert abs(info.modified - time.time()) < 60


def test_a_part_keeps_nought_and_no(tmp_path: Path) -> None:
    schema = pa.schema({"name": pa.string(), "count": pa.int64(), "yes": pa.bool_()})
    storage = Storage(str(tmp_path))
    rows = [{"name": "", "count": 0, "yes": False}, {"name": "a", "count": 3, "yes": True}]
    write_part(storage, "table", rows, schema)
    assert read_parts(storage, "table", schema).to_pylist() == [{**rows[0], "name": None}, rows[1]]


def test_files_below_the_top_folder_of_the_machine_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    assert Storage("/").uri("a.txt") == "file:///a.txt"
    assert Storage("/").read_bytes(str(tmp_path / "a.txt").lstrip("/")) == b"a"
