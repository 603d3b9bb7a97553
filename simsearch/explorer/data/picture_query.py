"""Query by picture: read with limits, never stored, answered by one backbone after another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from simsearch.config import Config
from simsearch.errors import SimsearchError, UsageError
from simsearch.explorer.data.view import Artwork, Neighbour, SnapshotView
from simsearch.images import decode as images

log = logging.getLogger(__name__)

NETWORKS_KEPT = 6


@dataclass(frozen=True)
class Answer:
    """What one backbone found, in `seconds`; or the `error` why it could not look."""

    backbone: str
    seconds: float
    found: list[tuple[Neighbour, Artwork]]
    error: str | None = None


class TooLargeError(UsageError):
    """More bytes than explore.max_upload_bytes."""


async def limited(chunks: AsyncIterator[bytes], limit: int) -> AsyncGenerator[bytes, None]:
    """The same chunks. Raises TooLargeError as soon as there are more than `limit` bytes."""
    total = 0
    async for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise TooLargeError(
                f"the picture has more than {limit // 2**20} MiB; give a smaller one"
            )
        yield chunk


def read_picture(config: Config, view: SnapshotView, data: bytes) -> Image.Image:
    """An uploaded picture as RGB. Raises UsageError saying what is wrong with it."""
    try:
        return images.decode(
            data,
            max_pixels=config.explore.max_upload_pixels,
            max_bytes=config.explore.max_upload_bytes,
            background=view.plan.settings["images"]["background"],
        )
    except images.ImageError as error:
        raise UsageError(
            f"this is not a usable picture ({error.reason}: {error.detail}); give a JPEG, PNG, GIF, WebP, TIFF or BMP"
        ) from None


class PictureQuery:
    """The networks in use, loaded at their first question and kept."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._networks: dict[str, Any] = {}
        self._lock = threading.Lock()  # two pictures at once would only slow each other down

    def warm(self, view: SnapshotView) -> None:
        """Load the networks in the background: whoever opens the page is about to ask."""
        threading.Thread(target=self._load_all, args=(view,), daemon=True).start()

    def _load_all(self, view: SnapshotView) -> None:
        for backbone in view.backbones:
            try:
                with self._lock:
                    self._network(view, backbone)
            except SimsearchError as error:
                log.warning("explore: %s cannot answer pictures: %s", backbone, error)

    def _network(self, view: SnapshotView, backbone: str) -> Any:
        from simsearch.query import load_network  # PyTorch takes seconds to import

        space = view.space(backbone)
        if space.fingerprint not in self._networks:
            while len(self._networks) >= NETWORKS_KEPT:
                self._networks.pop(next(iter(self._networks)))
            self._networks[space.fingerprint] = load_network(self._config, view.plan, space)
        return self._networks[space.fingerprint]

    def answers(
        self, view: SnapshotView, picture: Image.Image, backbones: list[str], n: int
    ) -> Iterator[Answer]:
        """One answer per backbone, as each is ready."""
        from simsearch.query import search_picture

        for backbone in backbones:
            started = time.monotonic()
            try:
                with self._lock:
                    network = self._network(view, backbone)
                    nearest = search_picture(
                        view.index(backbone), network, view.plan, view.space(backbone), picture, n
                    )
            except SimsearchError as error:
                yield Answer(backbone, time.monotonic() - started, [], str(error))
                continue
            found = []
            for rank, (artwork_id, distance) in enumerate(nearest.items(), start=1):
                artwork = view.artwork(artwork_id)
                found.append((Neighbour(rank, artwork.item, distance), artwork))
            yield Answer(backbone, time.monotonic() - started, found)
