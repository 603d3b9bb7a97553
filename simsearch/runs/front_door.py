"""The settings for a collection that is given by its address alone: `simsearch run FOLDER`.

The root lies beside the collection, and the settings' file beside the root. An existing file of settings is
used as it is, with the user's changes.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simsearch.catalog.image_names import is_web
from simsearch.catalog.recognition import KINDS, RecognisedCollection, recognise
from simsearch.catalog.records import TABLES
from simsearch.errors import SimsearchError, UsageError
from simsearch.settings.config import Config, config_of_values, load_config
from simsearch.settings.secrets import hide_secrets, without_secrets
from simsearch.settings.sections.extraction import PUBLISHED
from simsearch.settings.shown import settings_text
from simsearch.storage.storage import Storage, root_of
from simsearch.storage.uris import ROOT_MARKER, is_local, local_path, normalise_uri

log = logging.getLogger(__name__)

SUFFIX = "-simsearch"
ORIGINALS = 1000
"""Originals of which copies are made. The study's five copies of an original take five times the original's
work, so copies of all would make the first run of a large collection six times as long."""

ONE_TIME = ("publish.force", "extract.retry_rejects")
"""Settings that hold for one run and are not written to the file."""


@dataclass(frozen=True)
class FrontDoor:
    """The settings of a collection, the local `file` for them, and the `text` to write into it, which is
    empty if the file exists."""

    place: str
    config: Config
    file: Path
    text: str

    def write(self) -> None:
        """Write the settings beside the root, unless the file exists. Raises StorageError."""
        if self.text:
            secret = hide_secrets(self.text) != self.text
            with _private_files() if secret else nullcontext():
                Storage(str(self.file.parent)).write_bytes(self.file.name, self.text.encode())
            log.info("settings: written to %s, ready to be edited", self.file)

    @contextmanager
    def keep_settings(self) -> Iterator[None]:
        """`write` the settings for a run within the block. They are removed again if the run fails before
        there is a root, so that later runs do not repeat a mistake in a word."""
        self.write()
        try:
            yield
        except SimsearchError:
            if self.text and not root_of(self.config).exists(ROOT_MARKER):
                self.file.unlink(missing_ok=True)
                log.info("settings: %s removed again, as nothing was run", self.file)
            raise


@contextmanager
def _private_files() -> Iterator[None]:
    """Let only this process's user read the files that it makes within the block, from the first moment."""
    usual = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(usual)


def open_front_door(place: str, words: Sequence[str]) -> FrontDoor:
    """The settings for the collection at a path, a URI or a web address, overridden by `key=value` words.

    Raises UsageError if there is no collection, ConfigError for a wrong word, WeightsError if no network's
    weights are available.
    """
    if not place:
        raise UsageError(f"an empty word in place of a collection; {KINDS}")
    given = config_of_values({}, words)
    if given.catalog.source is not None:
        raise UsageError("catalog.source: the collection is given already; leave out one of them")
    root = _choose_root(place, given, words)
    file = _choose_file(root)
    if file.exists():
        return _reopen(place, file, words)
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
    config = _make_absolute(config_of_values(values, words), root)
    log.info(
        "collection: %s, read by reader %s; root: %s",
        without_secrets(place), config.catalog.reader, root,
    )  # fmt: skip
    lasting = [word for word in words if not word.startswith(ONE_TIME)]
    stored = _make_absolute(config_of_values(values, lasting), root)
    return FrontDoor(place, config, file, _text(place, file, stored))


def _make_absolute(config: Config, root: str) -> Config:
    """The settings with absolute paths, so that their file means the same in each working directory."""
    images, weights = config.catalog.images, config.extract.weights
    if config.catalog.source is None:  # a word `catalog={…}` has replaced the section
        raise UsageError("catalog: give its settings one by one, such as catalog.reader=NAME")
    if images is not None and not is_web(images):
        images = _show_path(normalise_uri(images))
    weights = tuple(
        str(Path(name).absolute()) if name != PUBLISHED and Path(name).is_dir() else name
        for name in weights
    )
    return config.model_copy(
        update={
            "root": root,
            "catalog": config.catalog.model_copy(update={"images": images}),
            "extract": config.extract.model_copy(update={"weights": weights}),
        }
    )


def _text(place: str, file: Path, config: Config) -> str:
    shown = shlex.quote(str(file))
    return (
        f"# The settings of: simsearch run {shlex.quote(without_secrets(place))}\n"
        f"# Edit them, then: simsearch run {shown}\n"
        f"# All settings with their meaning: simsearch config show --all {shown}\n\n"
        f"{settings_text(config)}"
    )


def _values(collection: RecognisedCollection, root: str) -> dict[str, Any]:
    catalog: dict[str, Any] = {"reader": collection.reader, "source": collection.source}
    if collection.columns:
        catalog["columns"] = collection.columns
    if (
        collection.reader != "folder"
    ):  # the images may lie on the web, so they have to be downloaded
        catalog["download"] = {"enabled": True}
    return {"root": root, "catalog": catalog, "perturbations": {"originals": ORIGINALS}}


def _choose_root(place: str, given: Config, words: Sequence[str]) -> str:
    """The root: the one that a word names, else a folder beside the collection. A collection on the
    web has its root in the current folder. Raises UsageError if nothing can lie beside a place."""
    if any(word.startswith("root=") for word in words):
        root = _show_path(normalise_uri(given.root))
        if root == "/":
            raise UsageError("root: / holds all files of this machine; choose a folder")
        return root
    if is_web(place):
        try:
            parts = urlsplit(place)
        except ValueError as error:
            raise UsageError(f"{without_secrets(place)}: not a web address ({error})") from None
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
    return _show_path(f"{parent}/{stem}{SUFFIX}")


def _is_table(name: str) -> bool:
    return name.lower().endswith((*TABLES, ".json", ".parquet"))


def _show_path(uri: str) -> str:
    return local_path(uri) if is_local(uri) else uri


def _choose_file(root: str) -> Path:
    """The settings' file: beside a root on this machine, for other roots in the current folder."""
    if is_local(normalise_uri(root)):
        return Path(f"{root}.yaml")
    return Path.cwd() / f"{root.rpartition('/')[2]}.yaml"


def _keep_apart(collection: RecognisedCollection, root: str) -> None:
    """Raise UsageError for a root inside the folder that is read."""
    if collection.reader == "iiif":
        return
    folder = f"{_resolve(collection.source)}/"
    if f"{_resolve(root)}/".startswith(folder):
        raise UsageError(
            f"root: {root} lies inside of {collection.source}, which is read; choose a place outside"
        )


def _resolve(place: str) -> str:
    """The one name of a place, with links followed."""
    uri = normalise_uri(place)
    return str(Path(local_path(uri)).resolve()) if is_local(uri) else uri


def _reopen(place: str, file: Path, words: Sequence[str]) -> FrontDoor:
    """The settings of an earlier run. Raises UsageError if they belong to another collection."""
    config = load_config(file, words)
    source = config.catalog.source or ""
    same = source == place if is_web(place) else _resolve(source) == _resolve(place)
    if not same:
        raise UsageError(
            f"{file}: holds the settings of another collection ({without_secrets(source)}); give it with its own "
            "root=FOLDER, or move the file away"
        )
    over = f", with {hide_secrets(' '.join(words))} for this run alone" if words else ""
    log.info("settings: those of %s%s; edit them there", file, over)
    return FrontDoor(place, config, file, "")
