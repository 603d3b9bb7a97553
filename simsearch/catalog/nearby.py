"""The folder of images whose names lead nowhere: one beside or above."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import PurePosixPath

from simsearch.errors import StorageError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import list_uri
from simsearch.storage.uris import is_local, join_uri, local_path

MOST_FILES = 10_000  # of a local folder that are listed: a folder above may hold a whole disk


def find_folder(names: Sequence[str], folders: Sequence[str], storage: StorageConfig) -> str | None:
    """The folder from which one of the relative names leads to a file. None if there is no such folder."""
    wanted = {PurePosixPath(name.replace("\\", "/")).name: name for name in names}
    for folder in folders:
        for path in _paths_below(folder, storage):
            given = wanted.get(PurePosixPath(path).name)
            clean = "" if given is None else given.replace("\\", "/").removeprefix("./")
            if given is not None and f"/{path}".endswith(f"/{clean}"):
                return join_uri(folder, path.removesuffix(clean).rstrip("/"))
    return None


def _paths_below(folder: str, storage: StorageConfig) -> Iterable[str]:
    if folder.startswith("s3://"):
        try:
            return [info.path for info in list_uri(folder, storage)]
        except StorageError:
            return ()
    if not is_local(folder):
        return ()
    top = local_path(folder)
    paths = (
        os.path.relpath(os.path.join(inner, name), top)  # noqa: PTH118
        for inner, _, names in os.walk(top)
        for name in names
    )
    return islice(paths, MOST_FILES)
