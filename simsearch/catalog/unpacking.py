"""Unpack a table: gzip, bzip2, xz, Zstandard, or a zip archive of one file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, Any

import pyarrow as pa

from simsearch.errors import CatalogError

MAX_UNPACKED = 4 * 2**30  # bytes; a table that unpacks to more is taken for a bomb
CHUNK = 2**20  # bytes
LAYERS = 3  # a table packed more often is taken for a bomb
ZIP, EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
EXAMPLES = 3

# Zstandard's parallel writers begin with a frame that readers skip.
_ZSTANDARD = (b"\x28\xb5\x2f\xfd", *(bytes([byte]) + b"\x2a\x4d\x18" for byte in range(80, 96)))
_PACKED: tuple[tuple[bytes | tuple[bytes, ...], str, Callable[[IO[bytes]], Any]], ...] = (
    (b"\x1f\x8b", "gzip", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", "bzip2", bz2.BZ2File),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMAFile),
    (_ZSTANDARD, "Zstandard", lambda file: pa.CompressedInputStream(file, "zstd")),
)
_ARCHIVES = (
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"Rar!", "RAR"),
    (257, b"ustar", "tar"),
    (0, b'\x04"M\x18', "LZ4"),
    (0, b"\x1f\x9d", "compress (.Z)"),
    (0, b"\x5d\x00\x00", "LZMA"),
)
_BROKEN = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def unpack(source: str, data: bytes) -> bytes:
    """The bytes of the table itself. Bytes that are not packed come back unchanged, as does a workbook.

    Raises CatalogError for bytes that are broken, too large, or an archive of several files.
    """
    for _ in range(LAYERS):
        inner = _unpack_layer(source, data)
        if inner is None:
            return data
        data = inner
    raise CatalogError(f"{source}: packed more than {LAYERS} times; unpack it")


def _unpack_layer(source: str, data: bytes) -> bytes | None:
    """The content of the outermost packing. None if the bytes are not packed."""
    for place, mark, kind in _ARCHIVES:
        if data[place : place + len(mark)] == mark:
            raise CatalogError(
                f"{source}: a {kind} archive, not a table; unpack it and name the table"
            )
    if data.startswith((ZIP, EMPTY_ZIP)):
        return _unzip(source, data)
    for marks, kind, opened in _PACKED:
        if data.startswith(marks):
            try:
                with opened(io.BytesIO(data)) as file:
                    return _read_bounded(source, file)
            except _BROKEN as error:
                raise CatalogError(
                    f"{source}: broken {kind} file ({error}); get it again"
                ) from None
    return None


def _unzip(source: str, data: bytes) -> bytes | None:
    """The only file of a zip archive. None if the bytes are a workbook or no archive."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        if _begins_as_workbook(data):
            return None
        raise CatalogError(
            f"{source}: a zip archive that is broken or cut short ({error}); get it again"
        ) from None
    with archive:
        names = archive.namelist()
        if "[Content_Types].xml" in names or "mimetype" in names:
            return None
        members = [
            name
            for name in names
            if not name.endswith(("/", ".DS_Store")) and not name.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            some = ", ".join(members[:EXAMPLES]) + (", …" if len(members) > EXAMPLES else "")
            raise CatalogError(
                f"{source}: a zip archive of {len(members)} files ({some or 'none'}); unpack it and name the table"
            )
        try:
            with archive.open(members[0]) as file:
                return _read_bounded(source, file)
        except (*_BROKEN, RuntimeError, NotImplementedError) as error:  # encrypted, or packed oddly
            raise CatalogError(
                f"{source}: {members[0]} in it cannot be unpacked ({error}); unpack it by hand"
            ) from None


def _begins_as_workbook(data: bytes) -> bool:
    """Whether the first file of a zip archive belongs to a workbook."""
    length = int.from_bytes(data[26:28], "little")
    return data[30 : 30 + length].startswith(
        (b"[Content_Types]", b"_rels/", b"xl/", b"docProps/", b"mimetype")
    )


def _read_bounded(source: str, file: IO[bytes]) -> bytes:
    chunks = []
    size = 0
    while chunk := file.read(CHUNK):
        size += len(chunk)
        if size > MAX_UNPACKED:
            raise CatalogError(
                f"{source}: unpacks to more than {MAX_UNPACKED / 2**30:g} GiB; split it"
            )
        chunks.append(chunk)
    return b"".join(chunks)
