"""Checkpoints of a training in the root, from which the same command goes on.

Ray's own checkpoints are not used: Ray Train inside one process keeps none.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from typing import Any

import torch

from simsearch.errors import StorageError
from simsearch.storage.storage import Storage

KEPT = 2  # the newest, and the one before it in case the newest is lost


@dataclass(frozen=True)
class Checkpoint:
    """The state of the model and its optimiser after `epoch` whole epochs, and all losses."""

    epoch: int
    model: dict[str, Any]
    optimiser: dict[str, Any]
    losses: list[dict[str, float]]


def save(storage: Storage, folder: str, checkpoint: Checkpoint) -> None:
    """Store a checkpoint and remove all but the newest KEPT."""
    buffer = io.BytesIO()
    torch.save(vars(checkpoint), buffer)
    storage.write_bytes(_path(folder, checkpoint.epoch), buffer.getvalue())
    for epoch in _epochs(storage, folder)[:-KEPT]:
        storage.delete(_path(folder, epoch))


def latest(storage: Storage, folder: str) -> Checkpoint | None:
    """The newest checkpoint, None if there is none. Raises StorageError for a broken one."""
    epoch = last_epoch(storage, folder)
    if not epoch:
        return None
    path = _path(folder, epoch)
    try:
        values = torch.load(
            io.BytesIO(storage.read_bytes(path)), map_location="cpu", weights_only=True
        )
        return Checkpoint(**values)
    except (pickle.UnpicklingError, RuntimeError, TypeError, EOFError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise StorageError(
            f"{storage.uri(path)}: not a checkpoint ({reason}); remove it and run again"
        ) from None


def last_epoch(storage: Storage, folder: str) -> int:
    """The number of the last whole epoch that is stored. 0 if there is none."""
    return max(_epochs(storage, folder), default=0)


def clear(storage: Storage, folder: str) -> None:
    for info in storage.files(folder):
        storage.delete(f"{folder}/{info.path}")


def _path(folder: str, epoch: int) -> str:
    return f"{folder}/checkpoint-{epoch:05}.pt"


def _epochs(storage: Storage, folder: str) -> list[int]:
    names = (info.path for info in storage.files(folder))
    return sorted(
        int(name.removeprefix("checkpoint-").removesuffix(".pt"))
        for name in names
        if name.startswith("checkpoint-")
    )
