"""A plain folder or bucket prefix of images as a collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError, NotFoundError
from simsearch.images.kinds import EXTENSIONS, HEIF_ADVICE, HEIF_EXTENSIONS, heif_readable
from simsearch.settings.config import Config
from simsearch.storage.storage import FileInfo, list_entries
from simsearch.storage.uris import ROOT_MARKER

# What macOS, Windows and cameras leave beside pictures under the same endings.
DEBRIS = ("._",)


def read_folder(config: Config, notes: Notes) -> Iterator[dict[str, Any]]:
    """One artwork per image file, at any depth. Its id is the path without extension, its title the
    file's name in words. Files left out are counted by extension or kind. Raises CatalogError for a
    folder that is missing or has no images."""
    source = config.catalog.source
    assert source is not None
    try:
        entries = list_entries(source, config.storage)
    except NotFoundError:
        raise CatalogError(
            f"catalog.source: {source} does not exist; give a folder or bucket prefix of images"
        ) from None
    images = []
    roots = roots_among(entries)
    for info in entries:
        if info.path.startswith(roots):
            notes.leave_out("files of simsearch roots", info.path)
        elif reason := reason_against(info):
            notes.leave_out(reason, info.path)
        else:
            images.append(info)
    if not images:
        raise CatalogError(
            f"catalog.source: {source} has no image files (looked for {', '.join(sorted(EXTENSIONS))}{_describe_others(notes)}); check the path"
        )
    stems = Counter(str(PurePosixPath(info.path).with_suffix("")) for info in images)
    for info in images:
        stem = str(PurePosixPath(info.path).with_suffix(""))
        yield {
            "artwork_id": stem if stems[stem] == 1 else info.path,
            "title": title_of(info.path),
            "image_uri": info.uri,
            "etag": info.etag,
        }


def roots_among(entries: Iterable[FileInfo]) -> tuple[str, ...]:
    """The folders of a listing that are simsearch roots, each with a slash at its end."""
    return tuple(
        info.path.removesuffix(ROOT_MARKER)
        for info in entries
        if info.path.endswith(f"/{ROOT_MARKER}")
    )


def title_of(path: str) -> str:
    """`scans/view_of-delft.jpg` → `view of delft`"""
    return " ".join(PurePosixPath(path).stem.replace("_", " ").replace("-", " ").split())


def reason_against(info: FileInfo) -> str | None:
    """Why a file is not read as an image, in words that follow a count. None if the file is read."""
    if info.kind != "file":
        return f"of the kind “{info.kind}”"
    if not _is_encodable(info.path):
        return "files whose names are no UTF-8 (rename them)"
    path = PurePosixPath(info.path)
    if path.name.startswith(DEBRIS):
        return "files that macOS adds (._*)"
    suffix = path.suffix.lower()
    if suffix in HEIF_EXTENSIONS:
        return None if heif_readable() else f"{suffix} files ({HEIF_ADVICE})"
    if suffix in EXTENSIONS:
        return None
    return f"{path.suffix.lower()} files" if path.suffix else "files without an extension"


def _is_encodable(path: str) -> bool:
    """Whether a path can be written as UTF-8. Bytes of another encoding in a file's name cannot."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _describe_others(notes: Notes) -> str:
    counted = [f"{count} {reason}" for reason, (count, _) in notes.left_out.items()]
    return f"; there are {', '.join(counted)}" if counted else ""
