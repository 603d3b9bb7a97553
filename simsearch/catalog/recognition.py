"""The kind of collection at an address, detected from its content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from simsearch.catalog.iiif import parse
from simsearch.catalog.iiif_library import MAX_BYTES
from simsearch.catalog.iiif_values import kind_of as type_of
from simsearch.catalog.image_names import is_web
from simsearch.catalog.layout import REQUIRED
from simsearch.catalog.notes import Notes
from simsearch.catalog.proposal import propose
from simsearch.catalog.readers.folder import reason_against
from simsearch.catalog.readers.table import which_column
from simsearch.catalog.records import TABLES, load_records
from simsearch.catalog.web.client import WebClient
from simsearch.catalog.web.errors import FAILURES, reason_of
from simsearch.errors import CatalogError, NotFoundError, UsageError
from simsearch.images.kinds import kind_of
from simsearch.settings.secrets import without_secrets
from simsearch.settings.sections.collection import CatalogConfig
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import FileInfo, list_entries, read_uri
from simsearch.storage.uris import ROOT_MARKER, is_local, local_path, normalise_uri

KINDS = "give a folder of images, a table, a IIIF address or a settings file (.yaml)"
BEGINNING = 4096  # bytes that distinguish pictures and JSON from other files
SHARDS = (".parquet", ".json")


@dataclass(frozen=True)
class RecognisedCollection:
    """The collection at `source`: its `reader`, the `columns` of a table that are recognised by name, and
    `remarks` for the log."""

    reader: str
    source: str
    columns: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def recognise(place: str, catalog: CatalogConfig, storage: StorageConfig) -> RecognisedCollection:
    """The collection at a path, a URI or a web address.

    Raises UsageError if nothing is there, or nothing that is a collection.
    """
    if is_web(place):
        return _recognise_address(place, catalog)
    source = normalise_uri(place)
    shown = local_path(source) if is_local(source) else source
    try:
        entries = list_entries(source, storage)
    except NotFoundError:
        if "*" in place.rpartition("/")[2]:
            return _recognise_table(shown, source, catalog, storage)
        raise UsageError(f"{place}: nothing is there; {KINDS}") from None
    if [info.uri for info in entries] == [source]:
        return _recognise_file(place, shown, entries[0], catalog, storage)
    return _recognise_folder(place, shown, entries, catalog, storage)


def _recognise_address(address: str, catalog: CatalogConfig) -> RecognisedCollection:
    try:
        with WebClient(catalog.download) as client:
            data = client.get(address, MAX_BYTES).data or b""
    except FAILURES as error:
        kind = UsageError if getattr(error, "lasting", False) else CatalogError
        shown = without_secrets(address)
        raise kind(f"{shown}: {reason_of(error)}; check the address") from None
    if not _is_iiif(data):
        raise UsageError(
            f"{without_secrets(address)}: no IIIF manifest or collection; download a table and give its file"
        )
    return RecognisedCollection("iiif", address)


def _is_iiif(data: bytes) -> bool:
    """Whether bytes are a IIIF manifest or collection. A JSON table has no such type."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
        document = parse(value)
    except (ValueError, RecursionError):
        return False
    return document is not None and type_of(value) in ("manifest", "collection")


def _recognise_file(
    place: str, shown: str, info: FileInfo, catalog: CatalogConfig, storage: StorageConfig
) -> RecognisedCollection:
    if info.kind != "file":
        raise UsageError(f"{place}: a {info.kind}, not a collection; {KINDS}")
    beginning = read_uri(info.uri, storage, BEGINNING)
    if (kind := kind_of(beginning)) is not None:
        raise UsageError(
            f"{place}: a picture ({kind}), not a collection; give its folder, or ask with the picture: "
            f"simsearch query PICTURE ROOT"
        )
    is_object = beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    if is_object and _is_iiif(read_uri(info.uri, storage, MAX_BYTES)):
        return RecognisedCollection("iiif", shown)
    return _recognise_table(shown, info.uri, catalog, storage)


def _recognise_folder(
    place: str,
    shown: str,
    entries: Sequence[FileInfo],
    catalog: CatalogConfig,
    storage: StorageConfig,
) -> RecognisedCollection:
    if any(info.path == ROOT_MARKER for info in entries):
        raise UsageError(
            f"{place}: a simsearch root, not a collection; simsearch explore {place} shows it"
        )
    if not entries:
        raise UsageError(f"{place}: an empty folder; {KINDS}")
    if any(reason_against(info) is None for info in entries):
        tables = [info.path for info in entries if _is_table(info)]
        remarks = [
            f"{shown}: read as a folder of images; titles and artists of a table in it are read by: "
            f"simsearch run {shown}/{name}"
            for name in tables[:1]
        ]
        return RecognisedCollection("folder", shown, remarks=remarks)
    if any(info.path.lower().endswith(SHARDS) for info in entries):
        return _recognise_table(shown, normalise_uri(place), catalog, storage)
    notes = Notes()
    for info in entries:
        notes.leave_out(reason_against(info) or "", info.path)
    counted = ", ".join(f"{count:,} {reason}" for reason, (count, _) in notes.left_out.items())
    raise UsageError(f"{place}: no image files in this folder ({counted}); {KINDS}")


def _is_table(info: FileInfo) -> bool:
    """Whether a file at the top of a folder may be the table of the folder's images."""
    return "/" not in info.path and info.path.lower().endswith((*TABLES, ".parquet"))


def _recognise_table(
    shown: str, source: str, catalog: CatalogConfig, storage: StorageConfig
) -> RecognisedCollection:
    """The table. If its own columns are not the catalog's, columns are proposed from their names."""
    try:
        records = load_records(source, catalog, storage, Notes())
        own = set(records.columns) | set(catalog.columns)
        if records.pictures or catalog.columns or own.issuperset(REQUIRED):
            return RecognisedCollection("table", shown)
        columns = propose(records)
        if not set(REQUIRED) <= columns.keys() | own:
            raise which_column(records, [name for name in REQUIRED if name not in columns])
    except CatalogError as error:
        raise UsageError(str(error)) from None
    pairs = ", ".join(f"{ours} from {path!r}" for ours, path in columns.items())
    remark = f"{shown}: columns found by their names: {pairs}"
    return RecognisedCollection("table", shown, columns, [remark])
