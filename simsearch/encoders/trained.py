"""Trainings: weights learned from a collection, each in a folder of the root that is named by the weights.

    trained/<name>-<digest>/weights.safetensors
    trained/<name>-<digest>/learned_from.parquet   the artworks that training saw
    trained/<name>-<digest>/manifest.json          written last: how the weights came about

A folder without a manifest is unfinished and no reader opens it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from simsearch import schemas
from simsearch.encoders.heads.head import Head
from simsearch.errors import MismatchError, StorageError
from simsearch.features.space import FeatureSpace
from simsearch.settings.config import Config
from simsearch.storage.storage import Storage

FOLDER = "trained"
WEIGHTS, LEARNED_FROM, MANIFEST = "weights.safetensors", "learned_from.parquet", "manifest.json"
EXAMPLES = "examples.safetensors"  # pictures of an autoencoder; see simsearch.training.examples


@dataclass(frozen=True)
class Training:
    """The training of a head or an encoder.

    `settings` are all settings that decided the weights. `fitted_for` is the fingerprint of the space whose
    vectors a head learned from, None for an encoder, which learns from pixels. `artworks` and `images` are
    the numbers of artworks, and of images with copies, that the training saw. `held_out` is the number of
    artworks that it did not see, by the reason. `losses` has a row per epoch. `seconds` is the training's
    own time on `device`. `chosen` says how options that the settings leave open were chosen; it is empty
    where they leave none open, and in the manifests of version 0.2.0.
    """

    name: str
    settings: Mapping[str, Any]
    fitted_for: str | None
    dimension: int
    profiles: tuple[str, ...]
    artworks: int
    images: int
    held_out: Mapping[str, int]
    losses: tuple[Mapping[str, float], ...]
    seconds: float
    device: str
    data_sha256: str
    weights_sha256: str
    code_version: str
    created: str
    chosen: Mapping[str, float] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return folder(self.name, self.weights_sha256)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: str) -> Training:
        try:
            known = {own.name: values[own.name] for own in fields(cls) if own.name != "chosen"}
            known["chosen"] = values.get("chosen", {})
        except (TypeError, KeyError) as error:
            raise StorageError(
                f"{source}: not this version's manifest ({error}); remove its folder and run "
                "`simsearch train` again"
            ) from None
        lists = {name: tuple(known[name]) for name in ("profiles", "losses")}
        return cls(**{**known, **lists})


def folder(name: str, weights_sha256: str) -> str:
    return f"{FOLDER}/{name}-{weights_sha256[:16]}"


def store(storage: Storage, training: Training, weights: bytes, learned_from: pa.Table) -> None:
    """Store a training and its weights. `learned_from` has schemas.LEARNED_FROM's columns."""
    storage.write_bytes(f"{training.folder}/{WEIGHTS}", weights)
    storage.write_table(
        f"{training.folder}/{LEARNED_FROM}", learned_from.cast(schemas.LEARNED_FROM)
    )
    storage.write_json(f"{training.folder}/{MANIFEST}", asdict(training))


def training_settings(config: Config, own: BaseModel) -> dict[str, Any]:
    """All settings that decide learned weights: the head's or encoder's `own`, and those of every
    training."""
    return {
        "of": own.model_dump(mode="json"),
        "train": config.train.model_dump(mode="json"),
        "seed": config.seed,
    }


def list_trainings(storage: Storage) -> list[Training]:
    """Every finished training, the newest first."""
    trainings = [
        read_training(storage, f"{FOLDER}/{info.path.removesuffix(f'/{MANIFEST}')}")
        for info in storage.files(FOLDER)
        if info.path.endswith(f"/{MANIFEST}")
    ]
    return sorted(trainings, key=lambda training: (training.created, training.folder), reverse=True)


def read_training(storage: Storage, path: str) -> Training:
    """The training in a folder. Raises NotFoundError if no training is finished there."""
    manifest = f"{path}/{MANIFEST}"
    return Training.from_json(storage.read_json(manifest), storage.uri(manifest))


def read_weights(storage: Storage, training: Training) -> bytes:
    """The bytes of a training's weight file. Raises MismatchError if the file has changed."""
    path = f"{training.folder}/{WEIGHTS}"
    data = storage.read_bytes(path)
    if hashlib.sha256(data).hexdigest() != training.weights_sha256:
        raise MismatchError(
            f"{storage.uri(path)}: not the weights that its manifest names; remove the folder and "
            "run `simsearch train` again"
        )
    return data


def load_head(storage: Storage, space: FeatureSpace) -> Head | None:
    """A space's head; None if it has none. Raises MismatchError if the head's file has changed."""
    if space.head is None or space.head_digest is None:
        return None
    training = read_training(storage, folder(space.head, space.head_digest))
    return Head.from_bytes(read_weights(storage, training), storage.uri(training.folder))


def trainings_of(storage: Storage, spaces: Iterable[FeatureSpace]) -> dict[str, list[Training]]:
    """The trainings of each learned space, the encoder's before the head's, by the space's name."""
    return {
        space.name: [read_training(storage, place) for place in folders_of(space)]
        for space in spaces
        if folders_of(space)
    }


def folders_of(space: FeatureSpace) -> list[str]:
    """The folders of a space's learned weights: its encoder's, its head's, both, or none. Those of all parts
    if it is joined."""
    places = []
    for part in space.encoded:
        if part.weights_source.startswith(f"{FOLDER}/"):
            places.append(part.weights_source)
        if part.head is not None and part.head_digest is not None:
            places.append(folder(part.head, part.head_digest))
    return list(dict.fromkeys(places))


def measured_of(images: pa.Table) -> pa.Table:
    """The artworks with copies among `images` (schemas.IMAGES), in schemas.LEARNED_FROM's columns."""
    measured = images.filter(pc.field("profile").is_valid())
    return measured.select(["artwork_id", "content_hash"])


def count_seen(storage: Storage, training: Training, measured: pa.Table) -> int:
    """The number of artworks of `measured` that the training saw (see `find_seen`)."""
    seen = find_seen(storage, training, measured)
    return len(measured.filter(pa.array(seen))["artwork_id"].unique())


def find_seen(storage: Storage, training: Training, artworks: pa.Table) -> npt.NDArray[np.bool_]:
    """Whether the training saw each row [n] of `artworks`: the same `artwork_id` or, if `artworks` has
    `content_hash`, the same picture under another id."""
    learned_from = storage.read_table(f"{training.folder}/{LEARNED_FROM}")
    seen = np.zeros(artworks.num_rows, dtype=bool)
    for key in artworks.column_names:
        seen |= np.asarray(pc.is_in(artworks[key], value_set=learned_from[key].combine_chunks()))
    return seen
