"""Where the images of a table's rows lie: in a folder, below a web address, or at full addresses."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError, NotFoundError, StorageError
from simsearch.images.decode import EXTENSIONS
from simsearch.sections.operation import StorageConfig
from simsearch.storage.storage import FileInfo, list_uri
from simsearch.storage.uris import join_uri, normalise_uri

WEB = ("http://", "https://")
UNESCAPED = "/%:@!$&'()*+,;=~-._"
EXAMPLES = 3
GUESSES = 200  # missing names that are looked for elsewhere


def is_web(uri: str | None) -> bool:
    return uri is not None and uri.lower().startswith(WEB)


def files_below(folder: str, storage: StorageConfig) -> dict[str, FileInfo]:
    """URI → file of every file below a folder; none where the folder is absent."""
    try:
        return {info.uri: info for info in list_uri(folder, storage)}
    except NotFoundError:
        return {}


@dataclass
class Places:
    """Finds each row's image. `base` is a folder's URI or a web address; with `by_id` a file that is
    named for the artwork's id serves a row that names none, or only a web address."""

    base: str
    storage: StorageConfig
    source: str
    by_id: bool = False
    named: int = 0  # rows that name a file in a store
    missing: list[tuple[str, str]] = field(default_factory=list)  # (name as given, URI tried)
    loosely: list[tuple[str, str]] = field(
        default_factory=list
    )  # (name as given, path it was found at)
    used: set[str] = field(default_factory=set)

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
        """The files by their paths without regard to case and Unicode form; None where several files
        have the same path then."""
        by_path: dict[str, FileInfo | None] = {}
        for info in self.files.values():
            key = _loosened(info.path)
            by_path[key] = None if key in by_path else info
        return by_path

    def locate(self, name: str | None, artwork_id: str) -> tuple[str, str | None] | None:
        """An image's URI and ETag (None: not known), or None where the row has none."""
        if self.by_id and (name is None or is_web(name)):
            info = self._by_stem.get(artwork_id)
            if info is not None:
                return self._take(info)
        if name is None:
            return None
        if is_web(name):
            return name, None
        if is_web(self.base) and "://" not in name:
            # A name's own spaces and letters have to be escaped in an address, its slashes not.
            return f"{self.base}/{quote(name.lstrip('/'), safe=UNESCAPED)}", None
        return self._stored(name)

    def _stored(self, name: str) -> tuple[str, str | None]:
        self.named += 1
        uri = normalise_uri(name) if "://" in name else join_uri(self.base, name.removeprefix("./"))
        info = self.files.get(uri)
        if info is None and "://" in name and not uri.startswith(f"{self.base}/"):
            info = self._elsewhere(uri)
        elif info is None:
            info = self._loose.get(_loosened(name.removeprefix("./")))
            if info is not None:
                self.loosely.append((name, info.path))
        if info is None:
            self.missing.append((name, uri))
            return uri, None
        return self._take(info)

    def _take(self, info: FileInfo) -> tuple[str, str]:
        self.used.add(info.uri)
        return info.uri, info.etag

    def _elsewhere(self, uri: str) -> FileInfo | None:
        folder = uri.rpartition("/")[0]
        if folder not in self._listed:
            self._listed[folder] = files_below(folder, self.storage)
        return self._listed[folder].get(uri)

    @cached_property
    def _listed(self) -> dict[str, dict[str, FileInfo]]:
        return {}

    def report(self, notes: Notes) -> None:
        """Note the rows whose file is missing and the files that no row names. Raises CatalogError where
        none of the files that rows name is there."""
        if self.named and len(self.missing) == self.named:
            name, tried = self.missing[0]
            raise CatalogError(
                f"{self.source}: none of {self.named:,} named images is there; the first path tried: {tried}; "
                + self._advice()
            )
        if self.missing:
            notes.leave_out(
                "images named that are not there", self.missing[0][1], len(self.missing)
            )
        if self.loosely:
            name, path = self.loosely[0]
            notes.say(
                f"{len(self.loosely):,} images found by another case or Unicode form of their names (first: {name!r} is {path!r})"
            )
        # A folder that no name was looked up in has not been listed, and need not be.
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
        guess = self._guess()
        if guess is None:
            instead = "an empty or missing folder" if not self.files else "a folder of other files"
            return f"{self.base} is {instead}; set catalog.images to the folder that the names start from"
        return f"files of these names lie elsewhere: set catalog.images={guess}"

    def _guess(self) -> str | None:
        """A folder nearby in which the files that rows name are found; None where there is none."""
        names = [name for name, _ in self.missing[:GUESSES] if "://" not in name]
        wanted = {PurePosixPath(name.replace("\\", "/")).name: name for name in names}
        nearby = (self.base, self.source.rpartition("/")[0], self.base.rpartition("/")[0])
        for folder in dict.fromkeys(nearby):
            for path in self._paths_below(folder):
                given = wanted.get(PurePosixPath(path).name)
                clean = "" if given is None else given.replace("\\", "/").removeprefix("./")
                if given is not None and f"/{path}".endswith(f"/{clean}"):
                    return join_uri(folder, path.removesuffix(clean).rstrip("/"))
        return None

    def _paths_below(self, folder: str) -> Iterable[str]:
        if not folder.startswith("file:///") and not folder.startswith("s3://"):
            return ()
        try:
            return [info.path for info in list_uri(folder, self.storage)]
        except StorageError:
            return ()


def _loosened(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()


def located(
    rows: Iterable[tuple[str, dict[str, Any]]], places: Places, notes: Notes
) -> Iterable[dict[str, Any]]:
    """Rows with `image_uri` and `etag` of where the image lies, and `where` of the row; those without
    an image are left out and counted."""
    for where, row in rows:
        place = places.locate(row.get("image_uri"), row["artwork_id"])
        if place is None:
            notes.leave_out("rows without an image", f"{where}, {row['artwork_id']}")
            continue
        uri, etag = place
        yield {**row, "image_uri": uri, "etag": row.get("etag") or etag, "where": where}
