"""The nearest artworks of an image file, in every feature space of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from simsearch.catalog.stored import load_catalog
from simsearch.encoders.backbones.learned import encoder_of_space
from simsearch.encoders.encoder import Encoder, Running, SpatialEncoder, preprocessing_for
from simsearch.encoders.heads.head import Head
from simsearch.encoders.trained import load_head
from simsearch.errors import MismatchError, UsageError
from simsearch.features.space import FeatureSpace
from simsearch.images.limits import ImageError
from simsearch.images.preprocessing import Preprocessing
from simsearch.indexes.exact import cosine
from simsearch.indexes.index import OpenIndex, open_index
from simsearch.settings.config import Config
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot


@dataclass(frozen=True)
class Match:
    """An artwork near to a picture: `distance` is angular, in [0, 2], `score` the cosine similarity, in
    [−1, 1]."""

    rank: int
    artwork_id: str
    title: str | None
    artists: list[str]
    image_uri: str | None
    distance: float
    score: float


@dataclass(frozen=True)
class PictureEncoder:
    """A feature space's encoder, and its head where it has one, for one picture at a time."""

    encoder: Encoder
    preprocessing: Preprocessing
    head: Head | None = None

    def vector(self, picture: Image.Image) -> npt.NDArray[np.float32]:
        """An RGB picture's vector [1, dimension]. Raises UsageError where it is not finite."""
        vector = self.encoder(self.preprocessing.pixels(picture)[None])
        if not np.isfinite(vector).all():
            raise UsageError(
                "the network gives this picture a vector that is not finite; ask with another picture"
            )
        return vector if self.head is None else self.head(vector)

    def feature_map(self, picture: Image.Image) -> npt.NDArray[np.float32] | None:
        """What the encoder saw where in an RGB picture [h, w, C], of the square that its preprocessing
        cuts (`Preprocessing.window`) and before any head; None where it has no such layer."""
        if not isinstance(self.encoder, SpatialEncoder):
            return None
        maps = self.encoder.feature_map(self.preprocessing.pixels(picture)[None])
        return None if maps is None else maps[0]


def query(config: Config, snapshot: Snapshot, image: Path, n: int) -> dict[str, list[Match]]:
    """The `n` nearest artworks of an image, per space.

    Copies count as their artwork, at its nearest image's distance. Raises UsageError for a file
    that is no readable picture, MismatchError when the weights at hand are not the snapshot's.
    """
    plan = snapshot.plan()
    picture = _read_picture(config, image, plan)
    _, table = load_catalog(snapshot.storage, plan.catalog_id)
    artworks = {row["artwork_id"]: row for row in table.to_pylist()}
    return {
        space.name: _matches(config, snapshot, plan, space, picture, artworks, n)
        for space in plan.spaces
    }


def _read_picture(config: Config, image: Path, plan: Plan) -> Any:
    try:
        data = image.read_bytes()
    except OSError as error:
        raise UsageError(f"{image}: cannot read it: {error.strerror}") from None
    try:
        return plan.settings.remake(config.images.limits).original(data)
    except ImageError as error:
        raise UsageError(
            f"{image}: not a usable image ({error.reason}: {error.detail}); give a JPEG, PNG, TIFF, JPEG 2000, AVIF, WebP or GIF"
        ) from None


def _matches(
    config: Config,
    snapshot: Snapshot,
    plan: Plan,
    space: FeatureSpace,
    picture: Any,
    artworks: dict[str, dict[str, Any]],
    n: int,
) -> list[Match]:
    index = open_index(snapshot.storage, snapshot.index_folder(space.name), space.fingerprint)
    nearest = search_picture(index, load_encoder(config, snapshot, space), plan, picture, n)
    return [
        _match(rank, artwork_id, distance, artworks[artwork_id])
        for rank, (artwork_id, distance) in enumerate(nearest.items(), start=1)
    ]


def search_picture(
    index: OpenIndex,
    encoder: PictureEncoder,
    plan: Plan,
    picture: Image.Image,
    n: int,
    among: pa.Array | None = None,
) -> dict[str, float]:
    """The `n` artworks nearest to an RGB picture, nearest first, each with its angular distance.

    `among`: only artworks of these ids, all of whose images are compared.
    """
    vector, wanted = encoder.vector(picture), n * (1 + len(plan.profiles))
    if among is None:
        neighbours = index.search(vector, wanted)
    else:
        chosen = pc.is_in(index.images["artwork_id"], value_set=among)
        neighbours = index.search_among(vector, np.flatnonzero(chosen.to_numpy()), wanted)
    nearest: dict[str, float] = {}
    for item, distance in zip(neighbours.items[0], neighbours.distances[0], strict=True):
        if item >= 0:
            nearest.setdefault(index.images["artwork_id"][int(item)].as_py(), float(distance))
    return dict(list(nearest.items())[:n])


def _match(rank: int, artwork_id: str, distance: float, row: dict[str, Any]) -> Match:
    return Match(
        rank=rank,
        artwork_id=artwork_id,
        title=row["title"],
        artists=row["artists"] or [],
        image_uri=row["image_uri"],
        distance=distance,
        score=cosine(distance),
    )


def load_encoder(config: Config, snapshot: Snapshot, space: FeatureSpace) -> PictureEncoder:
    """The encoder of a snapshot's feature space with the space's head, on the CPU.

    Raises MismatchError when the weights at hand are not the snapshot's.
    """
    plan = snapshot.plan()
    specification = encoder_of_space(config, snapshot.storage, space)
    extract = plan.settings.extract
    sources = extract.weights_for.get(space.encoder, extract.weights)
    weights = specification.weights(sources, config.storage)
    if weights.digest != space.weights_digest:
        raise MismatchError(
            f"{space.name}: the weights at hand ({weights.source}) are not those of snapshot "
            f"{plan.snapshot_id} ({space.weights_source}); provide the same or run `simsearch run` again"
        )
    preprocessing = preprocessing_for(specification, extract.preprocessing)
    running = Running(preprocessing, precision=space.precision, mode=space.mode)
    head = load_head(snapshot.storage, space)
    return PictureEncoder(specification.load(weights, running), preprocessing, head)
