"""Downloaded pictures, and the last request for each.

A file is named by its artwork, its address and its content (`<artwork>-<address>-<content>.jpg`), and
never overwritten: a changed picture gets another file, and older snapshots keep theirs. A journal
(`downloads/`) names the present file of each address. `snapshots gc` removes files that no snapshot and
no catalog name.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.catalog.journal import newest_rows, read_newest
from simsearch.catalog.sniffing import sniff
from simsearch.catalog.web.client import Answer
from simsearch.catalog.web.errors import RefusedError
from simsearch.settings.secrets import without_secrets
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import FileInfo, Storage

FOLDER = "images/downloaded"
STATE = "downloads"

Row = dict[str, Any]


@dataclass(frozen=True)
class StoredDownloads:
    """`files` by path below FOLDER. `states` are the last requests by name (`download_name`)."""

    files: Mapping[str, FileInfo]
    states: Mapping[str, Row]
    _newest: Mapping[str, FileInfo]  # by name, for pictures that a killed run did not note

    @classmethod
    def read(cls, storage: Storage) -> Self:
        files = {info.path: info for info in storage.files(FOLDER)}
        by_age = sorted(files.values(), key=lambda info: (info.modified, info.path))
        newest = {info.path.rpartition("-")[0]: info for info in by_age}
        rows = read_newest(storage, STATE, schemas.DOWNLOADS, key="name")
        return cls(files, {row["name"]: row for row in rows}, newest)

    def present(self, name: str) -> FileInfo | None:
        """The present picture of an address. None if no picture is stored."""
        noted = self.states.get(name, {}).get("file")
        return self._newest.get(name) if noted is None else self.files.get(noted)

    def known(self, name: str) -> Row:
        """The last request for a picture. Empty if the picture is not stored."""
        return self.states.get(name, {}) if self.present(name) is not None else {}


def download_name(row: Mapping[str, Any]) -> str:
    """A name for an artwork and the address of its image, safe in any store."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", row["artwork_id"])[:60].strip("-")
    address = without_secrets(row["image_uri"])
    digest = hashlib.sha256(f"{row['artwork_id']}\n{address}".encode()).hexdigest()[:12]
    return f"{readable}-{digest}"


def are_downloads_of(rows: pa.Table, artwork_id: str) -> pa.Array:
    """Which rows of the journal note requests for an artwork's images [rows]."""
    names = [
        download_name({"artwork_id": artwork_id, "image_uri": address})
        for address in rows["url"].to_pylist()
    ]
    return pc.equal(rows["name"], pa.array(names, pa.string()))


def downloads_of(storage: Storage, artwork_id: str) -> set[str]:
    """The addresses of all images of an artwork that were downloaded or requested."""
    journal = read_parts(storage, STATE, schemas.DOWNLOADS)
    own = journal.filter(are_downloads_of(journal, artwork_id))
    names = set(own["name"].to_pylist())
    files = (info for info in storage.files(FOLDER) if info.path.rpartition("-")[0] in names)
    return {*own["url"].to_pylist(), *(info.uri for info in files)}


def store_picture(name: str, data: bytes, stored: StoredDownloads, storage: Storage) -> str:
    """Store a picture under its name and content. Returns its path below FOLDER.

    Raises RefusedError if the bytes are no picture.
    """
    extension = sniff(data)
    if extension is None:
        raise RefusedError("the response is no image", lasting=True)
    path = f"{name}-{hashlib.sha256(data).hexdigest()[:32]}.{extension}"
    info = stored.files.get(path)
    if info is None or info.size != len(data):
        storage.write_bytes(f"{FOLDER}/{path}", data)
    return path


def journal_row(
    row: Mapping[str, Any], answer: Answer, file: str | None, problem: str | None, lasting: bool
) -> Row:
    """The journal's row for a request. `file` is the present picture, None if there is none."""
    return {
        "name": download_name(row),
        "url": without_secrets(row["image_uri"]),
        "file": file,
        "etag": answer.etag,
        "last_modified": answer.last_modified,
        "checked": time.time(),
        "lasting": lasting,
        "problem": problem,
    }


def downloaded_from(storage: Storage) -> dict[str, str]:
    """The web address of each present picture, by its path in the root."""
    rows = newest_rows(read_parts(storage, STATE, schemas.DOWNLOADS).to_pylist(), key="name")
    return {storage.uri(f"{FOLDER}/{row['file']}"): row["url"] for row in rows if row["file"]}


def download_problems(storage: Storage) -> dict[str, str]:
    """Why the last request for an image failed, by its web address."""
    rows = read_newest(storage, STATE, schemas.DOWNLOADS, key="name")
    return {row["url"]: row["problem"] for row in rows if row["problem"]}
