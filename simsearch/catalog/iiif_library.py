"""IIIF documents by address: from the root if they are recent enough, else from the web."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from simsearch import schemas
from simsearch.catalog.download import DAY
from simsearch.catalog.iiif import Document, parse
from simsearch.catalog.iiif_pictures import SERVICE_KEYS
from simsearch.catalog.journal import Journal, read_newest
from simsearch.catalog.notes import Notes
from simsearch.catalog.web.client import Answer, WebClient
from simsearch.catalog.web.errors import FAILURES, RefusedError, reason_of
from simsearch.settings.config import Config
from simsearch.settings.secrets import distinct_without_secrets, hide_secrets
from simsearch.storage.storage import Storage, read_uri

STATE = "iiif"  # not among the catalogs, where `snapshots gc` removes files that no snapshot names
MAX_BYTES = 64 * 2**20  # a manifest of a book of a thousand pages has about 2 MiB
FORM = 3  # of the stored contents; contents of another form are requested anew

Json = dict[str, Any]


@dataclass
class IIIFLibrary:
    """The documents. Safe to use from several threads. `kept` counts documents that were recent enough.
    `outlived` has the address of each stored document that its server no longer gives, and the reason."""

    config: Config
    client: WebClient
    journal: Journal
    known: Mapping[str, Json]
    kept: int = 0
    outlived: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, config: Config, stack: ExitStack) -> Self:
        """The library of the configured root, closed with `stack`."""
        storage = Storage(config.root, config.storage)
        rows = read_newest(storage, STATE, schemas.WEB_DOCUMENTS, key="url")
        return cls(
            config,
            client=stack.enter_context(WebClient(config.catalog.download)),
            journal=stack.enter_context(Journal(storage, STATE, schemas.WEB_DOCUMENTS)),
            known={row["url"]: row for row in rows},
        )

    def document(self, url: str, *, fresh: bool = False) -> Document:
        """A manifest, collection or page of annotations. `fresh` requests it from the web at any age.

        Raises RefusedError, BusyError, httpx.HTTPError.
        """
        return Document.from_json(self._content(url, "document", _read_document, fresh))

    def info(self, url: str) -> Json:
        """The info.json of an image service; empty if the service refuses it for good, which is stored
        too. Raises RefusedError, BusyError, httpx.HTTPError."""
        try:
            return self._content(url, "info", _read_info, False)
        except RefusedError as error:
            if not error.lasting:
                raise
            self._note(url, Answer(None, None, None), _pack("info", {}))
            return {}

    def stored(self, uri: str) -> Document:
        """A document on a disk or in a bucket. Raises RefusedError, StorageError."""
        try:
            return Document.from_json(_read_document(read_uri(uri, self.config.storage)))
        except RecursionError:
            raise _nesting_error() from None

    def report(self, notes: Notes) -> None:
        if self.kept:
            days = self.config.catalog.download.check_again_days
            notes.say(
                f"{self.kept:,} IIIF documents were read in the last {days:g} days and not asked for again"
            )
        if self.outlived:
            url, reason = next(iter(self.outlived.items()))
            notes.say(
                f"{len(self.outlived):,} IIIF documents could not be read again; their stored versions "
                f"are used (first: {url}: {reason})"
            )

    def _content(self, url: str, kind: str, read: Callable[[bytes], Json], fresh: bool) -> Json:
        row = self.known.get(distinct_without_secrets(url))
        before = _unpack(row, kind) if row is not None else None
        if row is None or before is None:
            row, before = {}, None
        days = self.config.catalog.download.check_again_days
        if before is not None and not fresh and time.time() - row["checked"] < days * DAY:
            with self._lock:
                self.kept += 1
            return before
        try:
            answer = self.client.get(
                url, MAX_BYTES, etag=row.get("etag"), last_modified=row.get("last_modified")
            )
        except FAILURES as error:
            if before is None or getattr(error, "lasting", False):
                raise
            return self._outlive(url, error, before)
        try:
            content = before if answer.data is None else read(answer.data)
            if content is None:
                raise RefusedError("nothing came")
            packed = _pack(kind, content)
        except (RefusedError, RecursionError) as error:
            if before is None:
                raise _nesting_error() if isinstance(error, RecursionError) else error from None
            return self._outlive(url, error, before)
        self._note(url, answer, packed)
        return content

    def _note(self, url: str, answer: Answer, packed: str) -> None:
        """Store a document, unless addresses in it grant access: without their secrets they are useless."""
        if hide_secrets(packed) != packed:
            return
        self.journal.note(
            {
                "url": distinct_without_secrets(url),
                "etag": answer.etag,
                "last_modified": answer.last_modified,
                "checked": time.time(),
                "content": packed,
            }
        )

    def _outlive(self, url: str, error: Exception, before: Json) -> Json:
        with self._lock:
            self.outlived[url] = reason_of(error)
        return before


def _pack(kind: str, content: Json) -> str:
    return json.dumps({"form": FORM, kind: content}, sort_keys=True)


def _unpack(row: Mapping[str, Any], kind: str) -> Json | None:
    """A stored content of this kind. None if it has another form or is of another kind."""
    stored = json.loads(row["content"])
    if not isinstance(stored, dict) or stored.get("form") != FORM:
        return None
    content: Json | None = stored.get(kind)
    return content


def _read_document(data: bytes) -> Json:
    document = parse(_json(data))
    if document is None:
        raise RefusedError("the response is no IIIF manifest or collection", lasting=True)
    return document.to_json()


def _read_info(data: bytes) -> Json:
    value = _json(data)
    if not isinstance(value, dict):
        raise RefusedError("the response is no description of an image", lasting=True)
    return {key: value[key] for key in SERVICE_KEYS if key in value}


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except ValueError:
        raise RefusedError("the response is no JSON", lasting=True) from None


def _nesting_error() -> RefusedError:
    return RefusedError("the response is nested too deeply", lasting=True)
