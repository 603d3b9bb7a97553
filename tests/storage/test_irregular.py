"""Entries of a folder that are no regular files are never opened and never listed as files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from simsearch.errors import StorageError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.filesystems import _filesystem
from simsearch.storage.storage import Storage, list_entries, list_uri, read_uri
from tests.support.places import Place


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "plain.jpg").write_bytes(b"plain")
    (folder / "link.jpg").symlink_to("plain.jpg")
    (folder / "broken.jpg").symlink_to("nowhere.jpg")
    (folder / "loop.jpg").symlink_to(".")
    os.mkfifo(folder / "pipe.jpg")
    return folder


def test_only_regular_files_are_listed_and_links_to_them(odd: Path) -> None:
    config = StorageConfig()
    assert [info.path for info in list_uri(str(odd), config)] == ["link.jpg", "plain.jpg"]
    kinds = {info.path: info.kind for info in list_entries(str(odd), config)}
    assert kinds["pipe.jpg"] == "named pipe"
    assert kinds["broken.jpg"] == "broken link"
    assert kinds["loop.jpg"] == "link to a folder"


@pytest.mark.timeout(20)
def test_a_named_pipe_is_refused_without_waiting_for_a_writer(odd: Path) -> None:
    with pytest.raises(
        StorageError, match=r"pipe\.jpg: cannot read: it is a named pipe, not a file"
    ):
        read_uri(str(odd / "pipe.jpg"), StorageConfig(), 100)


def test_a_link_changes_with_the_file_it_leads_to(odd: Path) -> None:
    def etag() -> str:
        return next(i.etag for i in list_uri(str(odd), StorageConfig()) if i.path == "link.jpg")

    before = etag()
    (odd / "plain.jpg").write_bytes(b"changed")
    assert etag() != before


def test_an_empty_file_is_read_at_once_as_no_bytes(place: Place) -> None:
    storage = Storage(place.root, place.config)
    storage.write_bytes("scans/empty.jpg", b"")
    started = time.monotonic()
    assert read_uri(storage.uri("scans/empty.jpg"), place.config, max_bytes=1000) == b""
    assert time.monotonic() - started < 1  # not five tries


def test_a_folder_marker_of_a_bucket_is_no_file(s3_place: Place) -> None:
    storage = Storage(s3_place.root, s3_place.config)
    bucket = s3_place.root.removeprefix("s3://")
    filesystem = _filesystem(s3_place.root, s3_place.config)
    for key in ("scans/", "scans/inner.jpg/"):
        filesystem.call_s3("put_object", Bucket=bucket, Key=key, Body=b"")
    storage.write_bytes("scans/one.jpg", b"one")
    assert [info.path for info in storage.files("scans")] == ["one.jpg"]
