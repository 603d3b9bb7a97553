"""The vector of a picture in a snapshot's feature space, and the artworks nearest to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from simsearch import schemas
from simsearch.encoders.backbones.learned import encoder_of_space
from simsearch.encoders.encoder import Encoder, Running, SpatialEncoder, preprocessing_for
from simsearch.encoders.heads.head import Head
from simsearch.encoders.trained import load_head
from simsearch.errors import MismatchError, UsageError
from simsearch.features.space import FeatureSpace
from simsearch.images.preprocessing import Preprocessing
from simsearch.indexes.index import OpenIndex
from simsearch.settings.config import Config
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot


@dataclass(frozen=True)
class PictureEncoder:
    """A feature space's encoder, with its head if it has one, for one picture at a time."""

    encoder: Encoder
    preprocessing: Preprocessing
    head: Head | None = None

    def vector(self, picture: Image.Image) -> npt.NDArray[np.float32]:
        """An RGB picture's vector [1, dimension]. Raises UsageError if the vector is not finite."""
        vector = self.encoder(self.preprocessing.pixels(picture)[None])
        if not np.isfinite(vector).all():
            raise UsageError(
                "the network gives this picture a vector that is not finite; ask with another picture"
            )
        return vector if self.head is None else self.head(vector)

    def feature_map(self, picture: Image.Image) -> npt.NDArray[np.float32] | None:
        """The encoder's feature map [h, w, C] of an RGB picture, before any head. It covers the square that
        the preprocessing cuts (`Preprocessing.window`). None if the encoder has no such layer."""
        if not isinstance(self.encoder, SpatialEncoder):
            return None
        maps = self.encoder.feature_map(self.preprocessing.pixels(picture)[None])
        return None if maps is None else maps[0]


def search_vector(
    index: OpenIndex,
    plan: Plan,
    vector: npt.NDArray[np.float32],
    n: int,
    among: pa.Array | None = None,
) -> dict[str, float]:
    """The `n` artworks nearest to a vector [1, dimension], nearest first, each with its angular distance.

    With `among`, only artworks of these ids are searched, by comparing all their images.
    """
    wanted = n * (1 + len(plan.profiles))
    if among is None:
        neighbours = index.search(vector, wanted)
    else:
        chosen = pc.is_in(index.images["artwork_id"], value_set=among)
        neighbours = index.search_among(vector, np.flatnonzero(chosen.to_numpy()), wanted)
    nearest: dict[str, float] = {}
    for item, distance in zip(neighbours.items[0], neighbours.distances[0], strict=True):
        if item >= 0 and not schemas.is_stand_in(image := index.images.slice(int(item), 1)):
            nearest.setdefault(image["artwork_id"][0].as_py(), float(distance))
    return dict(list(nearest.items())[:n])


def load_encoder(config: Config, snapshot: Snapshot, space: FeatureSpace) -> PictureEncoder:
    """The encoder of a snapshot's feature space with the space's head, on the CPU.

    Raises MismatchError if the weights at hand are not the snapshot's.
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
