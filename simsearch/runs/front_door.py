"""The settings of a collection that is given by its address alone: `simsearch run FOLDER`.

The root lies beside the collection, and the settings beside the root. Where the settings are there
already, they are used as they stand, with whatever was edited in them.
"""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simsearch.catalog.image_names import is_web
from simsearch.catalog.recognition import Collection, recognise
from simsearch.catalog.records import TABLES
from simsearch.errors import UsageError
from simsearch.settings.config import Config, config_of_values, load_config
from simsearch.settings.shown import settings_text
from simsearch.storage.storage import Storage
from simsearch.storage.uris import is_local, local_path, normalise_uri

log = logging.getLogger(__name__)

SUFFIX = "-simsearch"
ORIGINALS = 1000
"""Originals that copies are made of. The study's five copies of an original take five times its work, so
copies of all would make the first run of a large collection six times as long."""

ONE_TIME = ("publish.force", "extract.retry_rejects")
"""Settings that are wishes for one run and are not written down."""


@dataclass(frozen=True)
class FrontDoor:
    """The settings of a collection, the local `file` for them, and the `text` that it lacks; empty where
    the file is there already."""

    place: str
    config: Config
    file: Path
    text: str

    def write(self) -> None:
        """Store the settings beside the root, unless they are there. Raises StorageError."""
        if self.text:
            Storage(str(self.file.parent)).write_bytes(self.file.name, self.text.encode())
            log.info("settings: written to %s, ready to be edited", self.file)


def open_front_door(place: str, words: Sequence[str]) -> FrontDoor:
    """The settings for the collection at a path, a URI or a web address, with `key=value` words over
    them.

    Raises UsageError for what is no collection, ConfigError for a wrong word, WeightsError where no
    network's weights can be had.
    """
    given = config_of_values({}, words)
    root = _root_beside(place, given, words)
    file = _file_beside(root)
    if file.exists():
        return _reopened(place, file, words)
    collection = recognise(place, given.catalog, given.storage)
    for remark in collection.remarks:
        log.info("%s", remark)
    _keep_apart(collection, root)
    values = _values(collection, root)
    names = [word.partition("=")[0] for word in words]
    if not {"extract", "extract.spaces", "extract.backbones"} & set(names):
        from simsearch.runs.reachable_networks import choose_networks  # imports PyTorch

        chosen = choose_networks(given.extract.weights, given.storage)
        values["extract"] = {"backbones": list(chosen)}
    config = config_of_values(values, words)
    log.info("collection: %s, read by reader %s; root: %s", place, config.catalog.reader, root)
    lasting = [word for word in words if not word.startswith(ONE_TIME)]
    return FrontDoor(place, config, file, _text(place, file, config_of_values(values, lasting)))


def _text(place: str, file: Path, config: Config) -> str:
    shown = shlex.quote(str(file))
    return (
        f"# The settings of: simsearch run {shlex.quote(place)}\n"
        f"# Edit them, then: simsearch run {shown}\n"
        f"# All settings with their meaning: simsearch config show --all {shown}\n\n"
        f"{settings_text(config)}"
    )


def _values(collection: Collection, root: str) -> dict[str, Any]:
    catalog: dict[str, Any] = {"reader": collection.reader, "source": collection.source}
    if collection.columns:
        catalog["columns"] = collection.columns
    if collection.reader != "folder":  # images on the web can be had by a download alone
        catalog["download"] = {"enabled": True}
    return {"root": root, "catalog": catalog, "perturbations": {"originals": ORIGINALS}}


def _root_beside(place: str, given: Config, words: Sequence[str]) -> str:
    """Where everything is kept: `root` where a word names it, else beside the collection; beside
    nothing on this machine, in the current folder. Raises UsageError for a place without a beside."""
    if any(word.startswith("root=") for word in words):
        return _shown(normalise_uri(given.root))
    if is_web(place):
        parts = urlsplit(place)
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{parts.hostname or ''}{parts.path}").strip("-")
        return str(Path.cwd() / f"{name.removesuffix('-json')[-100:].strip('-')}{SUFFIX}")
    source = normalise_uri(place)
    parent, _, name = source.rpartition("/")
    if name in ("", "..") or parent in ("s3:/", "file:/"):
        raise UsageError(
            f"{place}: nothing can lie beside it; say where results are to be kept: root=FOLDER"
        )
    stem = name.partition("*")[0].rstrip("-_. ") or "tables" if "*" in name else name
    folder = Path(local_path(source)).is_dir() if is_local(source) else not _is_table(stem)
    if not folder:
        stem = stem.partition(".")[0] or stem
    return _shown(f"{parent}/{stem}{SUFFIX}")


def _is_table(name: str) -> bool:
    return name.lower().endswith((*TABLES, ".json", ".parquet"))


def _shown(uri: str) -> str:
    return local_path(uri) if is_local(uri) else uri


def _file_beside(root: str) -> Path:
    """The settings' file: beside a root on this machine, for others in the current folder."""
    if is_local(normalise_uri(root)):
        return Path(f"{root}.yaml")
    return Path.cwd() / f"{root.rpartition('/')[2]}.yaml"


def _keep_apart(collection: Collection, root: str) -> None:
    """Raises UsageError for a root inside of the folder that is read."""
    if collection.reader == "iiif":
        return
    folder = f"{_resolved(collection.source)}/"
    if f"{_resolved(root)}/".startswith(folder):
        raise UsageError(
            f"root: {root} lies inside of {collection.source}, which is read; choose a place outside"
        )


def _resolved(place: str) -> str:
    """A place by one name, links followed."""
    uri = normalise_uri(place)
    return str(Path(local_path(uri)).resolve()) if is_local(uri) else uri


def _reopened(place: str, file: Path, words: Sequence[str]) -> FrontDoor:
    """The settings of an earlier run. Raises UsageError where they are those of another collection."""
    config = load_config(file, words)
    source = config.catalog.source or ""
    same = source == place if is_web(place) else _resolved(source) == _resolved(place)
    if not same:
        raise UsageError(
            f"{file}: holds the settings of another collection ({source}); give it with its own "
            "root=FOLDER, or move the file away"
        )
    over = f", with {' '.join(words)} for this run alone" if words else ""
    log.info("settings: those of %s%s; edit them there", file, over)
    return FrontDoor(place, config, file, "")
