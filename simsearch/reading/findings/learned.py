"""Learned spaces: the course of their training, and pictures that their networks make."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy
from PIL import Image

from simsearch.encoders.trained import EXAMPLES, Training, count_seen, measured_of, trainings_of
from simsearch.errors import NotFoundError, StorageError
from simsearch.reading.training_log import EXAMPLE_ROWS, TrainingRow, training_row
from simsearch.reading.view import SnapshotView

BETWEEN = "between"
SIDE = 192  # pixels at least, to which smaller pictures are magnified without smoothing

Pictures = Mapping[str, npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class Learned:
    """A training of a learned space: a `row` in words, the `losses` per epoch, and the number of pictures of
    each kind of EXAMPLE_ROWS and `between`."""

    space: str
    training: Training
    row: TrainingRow
    examples: dict[str, int]


def list_learned(view: SnapshotView) -> list[Learned]:
    """Every training of the snapshot's spaces, an encoder's before its head's. Addresses name a training by
    its place in this list."""
    measured = measured_of(view.snapshot.images())
    storage = view.snapshot.storage
    return [
        Learned(
            space,
            training,
            training_row(space, training, count_seen(storage, training, measured)),
            {name: len(images) for name, images in example_pictures(view, training).items()},
        )
        for space, trainings in trainings_of(storage, view.plan.spaces).items()
        for training in trainings
    ]


def example_pictures(view: SnapshotView, training: Training) -> Pictures:
    """The example pictures of a training, uint8 [n, side, side, 3] by their kind. Empty if there are none.
    Raises StorageError for a file that simsearch did not write."""
    storage, path = view.snapshot.storage, f"{training.folder}/{EXAMPLES}"
    try:
        data = safetensors.numpy.load(storage.read_bytes(path))
    except NotFoundError:
        return {}
    except safetensors.SafetensorError as error:
        raise StorageError(
            f"{storage.uri(path)}: not pictures of a training ({error}); train again"
        ) from None
    return {
        name: images
        for name in (*EXAMPLE_ROWS, BETWEEN)
        if (images := data.get(name)) is not None
        and images.dtype == np.uint8
        and images.ndim == 4
        and images.shape[3] == 3
    }


def example_png(view: SnapshotView, training: Training, kind: str, place: int) -> bytes:
    """One of the example pictures as PNG. Raises NotFoundError if it does not exist."""
    images = example_pictures(view, training).get(kind)
    if images is None or not 0 <= place < len(images):
        raise NotFoundError("no such picture of a learned space in this snapshot")
    picture = Image.fromarray(images[place])
    if max(picture.size) < SIDE:
        times = SIDE // max(picture.size)
        picture = picture.resize(
            (picture.width * times, picture.height * times), Image.Resampling.NEAREST
        )
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
