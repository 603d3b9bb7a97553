"""The places of the images that a table's rows name: in a folder, below a web address, or at full
addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from simsearch.catalog.image_names import (
    LONGEST_PLACE,
    is_picture_text,
    is_web,
    leads_out,
    loosen,
    parts_of,
    resolve_name,
    shorten,
    split_pictures,
)
from simsearch.catalog.nearby import find_folder
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError, NotFoundError, StorageError, UsageError
from simsearch.images.kinds import EXTENSIONS
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.objects import version_etag
from simsearch.storage.storage import FileInfo, list_uri
from simsearch.storage.uris import is_local, join_uri, normalise_uri

EMBEDDED = "parquet+"  # begins a reference to a picture inside a Parquet file
ETAG = "embedded"  # of such a picture, as long as it is not stored on its own
MORE_IMAGES = "more_images"  # of a row beside its `image_uri`: the names after the first
UNESCAPED = "/%:@!$&'()*+,;=~-._"
EXAMPLES = 3
OUTSIDE = (
    "images named outside of the folder that names start from; set catalog.images to a folder above"
)
GUESSES = 200  # missing names that are looked for elsewhere
UNLISTED = 8  # folders elsewhere that could not be listed, after which no further folder is tried


class OutsideError(ValueError):
    """A name leads out of the folder from which names start."""


def is_embedded(uri: str | None) -> bool:
    """Whether a URI is a reference to a picture inside a Parquet file (`simsearch.catalog.embedded`)."""
    return uri is not None and uri.startswith(EMBEDDED)


def embedding_file(reference: str) -> str:
    """The URI of the Parquet file that a reference to a picture names."""
    return reference.removeprefix(EMBEDDED).rpartition("#")[0]


def files_below(
    folder: str, storage: StorageConfig, depth: int | None = None
) -> dict[str, FileInfo]:
    """URI → file for every file below a folder, down to `depth` levels. Empty if the folder is absent."""
    try:
        return {info.uri: info for info in list_uri(folder, storage, depth)}
    except NotFoundError:
        return {}


@dataclass
class Places:
    """Finds each row's image. `base` is a folder's URI or a web address. With `by_id`, a row that names no
    image or only a web address gets the file that is named by its artwork id."""

    base: str
    storage: StorageConfig
    source: str
    by_id: bool = False
    named: int = 0  # rows that name a file in a store
    elsewhere: int = 0  # rows whose image is at a web address or inside the table's file
    missing: list[tuple[str, str]] = field(default_factory=list)  # (name as given, URI tried)
    loosely: list[tuple[str, str]] = field(
        default_factory=list
    )  # (name as given, path it was found at)
    used: set[str] = field(default_factory=set)
    together: list[tuple[str, list[str]]] = field(default_factory=list)  # (name used, other names)
    files_inside: frozenset[str] = frozenset()  # the table's own files that hold pictures
    unlisted: dict[str, str] = field(
        default_factory=dict
    )  # folder elsewhere → why it is not listed

    def __post_init__(self) -> None:
        self.base = self.base.rstrip("/") if is_web(self.base) else normalise_uri(self.base)

    @cached_property
    def files(self) -> dict[str, FileInfo]:
        return {} if is_web(self.base) else files_below(self.base, self.storage)

    @cached_property
    def _by_stem(self) -> Mapping[str, FileInfo]:
        return {str(PurePosixPath(info.path).with_suffix("")): info for info in self.files.values()}

    @cached_property
    def _loose(self) -> Mapping[str, FileInfo | None]:
        """The files by their paths, without regard to case and Unicode form. None for a path that several
        files share."""
        by_path: dict[str, FileInfo | None] = {}
        for info in self.files.values():
            key = loosen(info.path)
            by_path[key] = None if key in by_path else info
        return by_path

    def locate(self, names: Sequence[str], artwork_id: str) -> tuple[str, str | None] | None:
        """The URI and ETag (None: not known) of a row's image. None if the row has no image. Raises
        OutsideError.

        Among several names, in a list or in one cell, the first whose file exists counts.
        """
        if self.by_id and (not names or is_web(names[0])):
            info = self._by_stem.get(artwork_id)
            if info is not None:
                return self._take(info)
        if not names:
            return None
        if is_embedded(names[0]) and embedding_file(names[0]) in self.files_inside:
            self._several(names, names[0])
            self.elsewhere += 1
            return names[0], ETAG
        if is_web(names[0]) or (is_web(self.base) and "://" not in names[0]):
            name, *others = [*split_pictures(names[0]), *names[1:]]
            self._several([name, *others], name)
            self.elsewhere += 1
            if is_web(name):
                return name, None
            # A name's own spaces and letters have to be escaped in an address, its slashes not.
            return f"{self.base}/{quote(name.lstrip('/'), safe=UNESCAPED)}", None
        return self._stored(names)

    def _stored(self, names: Sequence[str]) -> tuple[str, str | None]:
        self.named += 1
        if self._find(names[0]) is None:
            names = [*parts_of(names[0]), *names[1:]]
        present = [(name, info) for name in names if (info := self._find(name)) is not None]
        if not present and (version := self._version(names[0])):
            return version
        if not present:
            if web := next(filter(is_web, names), None):
                self.named -= 1
                self.elsewhere += 1
                self._several(names, web)
                return web, None
            if "://" not in names[0] and leads_out(names[0]):
                self.named -= 1
                raise OutsideError(shorten(names[0]))
            uri = self._uri(names[0]) or names[0]
            self.missing.append((names[0], uri))
            return uri, None
        for _, info in present:
            self.used.add(info.uri)
        name, info = present[0]
        self._several(names, name)
        if info.uri != self._uri(name) and ".." not in name:
            self.loosely.append((name, info.path))
        return self._take(info)

    def _find(self, name: str) -> FileInfo | None:
        uri = self._uri(name)
        if uri is None:
            return None
        info = self.files.get(uri)
        if info is None and "://" in name and not uri.startswith(f"{self.base}/"):
            return self._elsewhere(uri)
        if info is None and "://" not in name and ".." in name:
            info = self.files.get(resolve_name(self.source.rpartition("/")[0], name))
        return info or self._loose.get(loosen(name.removeprefix("./")))

    def _version(self, name: str) -> tuple[str, str] | None:
        """The URI and ETag of a version of an object."""
        uri = self._uri(name)
        if uri is None or len(self.unlisted) >= UNLISTED:
            return None
        try:
            etag = version_etag(uri, self.storage)
        except StorageError as error:
            self.unlisted[uri] = str(error)
            return None
        return None if etag is None else (uri, etag)

    def _uri(self, name: str) -> str | None:
        """The URI of a name. None for an address of a kind that cannot be read."""
        if "://" not in name:
            return join_uri(self.base, name.removeprefix("./"))
        try:
            return normalise_uri(name)
        except UsageError:
            return None

    def _several(self, names: Sequence[str], chosen: str) -> None:
        if len(names) > 1:
            self.together.append((chosen, [name for name in names if name != chosen]))

    def _take(self, info: FileInfo) -> tuple[str, str]:
        self.used.add(info.uri)
        return info.uri, info.etag

    def _elsewhere(self, uri: str) -> FileInfo | None:
        folder = uri.rpartition("/")[0]
        if folder not in self._listed and len(self.unlisted) < UNLISTED:
            try:
                # One level only: an address may name a file at the top of a whole disk or bucket.
                self._listed[folder] = files_below(folder, self.storage, depth=1)
            except StorageError as error:
                self._listed[folder] = {}
                self.unlisted[folder] = str(error)
        return self._listed.get(folder, {}).get(uri)

    @cached_property
    def _listed(self) -> dict[str, dict[str, FileInfo]]:
        return {}

    def report(self, notes: Notes) -> None:
        """Note the rows whose file is missing and the files that no row names. Raises CatalogError if none
        of the named files exists."""
        if self.named and len(self.missing) == self.named and not self.elsewhere:
            name, tried = self.missing[0]
            if is_picture_text(name):
                raise CatalogError(
                    f"{self.source}: the cells hold the pictures themselves, as text ({name[:20]}…); write them as files and their names into the table, or as bytes into Parquet"
                )
            raise CatalogError(
                f"{self.source}: none of {self.named:,} named images is there; the first path tried: {shorten(tried, LONGEST_PLACE)}; "
                + self._advice()
            )
        if self.missing:
            notes.leave_out(
                "images named that are not there", self.missing[0][1], len(self.missing)
            )
        if self.unlisted:
            reason = next(iter(self.unlisted.values()))
            notes.say(
                f"{len(self.unlisted):,} folders elsewhere cannot be listed (first: {reason})"
            )
        if self.loosely:
            name, path = self.loosely[0]
            notes.say(
                f"{len(self.loosely):,} images found by another case or Unicode form of their names (first: {shorten(name)!r} is {shorten(path)!r})"
            )
        if self.together:
            name, others = self.together[0]
            notes.say(
                f"{len(self.together):,} rows name several images, each is given one (first: {shorten(name)}, not {shorten(', '.join(others))})"
            )
        # A folder is only listed once a name was looked up in it.
        listed: dict[str, FileInfo] = self.__dict__.get("files", {})
        unnamed = [
            info.path
            for info in listed.values()
            if info.uri not in self.used and PurePosixPath(info.path).suffix.lower() in EXTENSIONS
        ]
        if unnamed:
            examples = ", ".join(sorted(unnamed)[:EXAMPLES])
            notes.say(
                f"{len(unnamed):,} images in {self.base} that no row names (such as {examples})"
            )

    def _advice(self) -> str:
        names = [name for name, _ in self.missing[:GUESSES] if "://" not in name]
        near = [self.base, self.source.rpartition("/")[0]]
        if is_local(self.base):  # above a prefix of a bucket lies the bucket
            near.append(self.base.rpartition("/")[0])
        guess = find_folder(names, list(dict.fromkeys(near)), self.storage)
        if guess is None:
            instead = "an empty or missing folder" if not self.files else "a folder of other files"
            return f"{self.base} is {instead}; set catalog.images to the folder that the names start from"
        return f"files of these names lie elsewhere: set catalog.images={guess}"


def locate_images(
    rows: Iterable[tuple[str, dict[str, Any]]], places: Places, notes: Notes
) -> Iterable[dict[str, Any]]:
    """The rows with `image_uri` and `etag` of their images, and with `where` the row stands. Rows without
    an image are left out and counted."""
    for where, row in rows:
        names = [name for name in (row.get("image_uri"), *row.get(MORE_IMAGES, ())) if name]
        try:
            place = places.locate(names, row["artwork_id"])
        except OutsideError as error:
            notes.leave_out(OUTSIDE, f"{where}, {row['artwork_id']}: {error}")
            continue
        if place is None:
            notes.leave_out("rows without an image", f"{where}, {row['artwork_id']}")
            continue
        uri, etag = place
        yield {**row, "image_uri": uri, "etag": row.get("etag") or etag, "where": where}
