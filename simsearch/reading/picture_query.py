"""Search by a picture: it is read with limits and never stored, and one space after another searches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image, ImageOps

from simsearch.errors import SimsearchError, UsageError
from simsearch.features.collapse import find_collapsed
from simsearch.images.limits import ImageError
from simsearch.neighbours.candidates import spaces_asked
from simsearch.reading.artworks import Neighbour, ViewArtwork
from simsearch.reading.box import Box
from simsearch.reading.originals import LARGEST_SIDE
from simsearch.reading.same_pictures import (
    Sighting,
    find_same_file,
    verify_same_picture,
)
from simsearch.reading.view import SnapshotView
from simsearch.settings.extras import check_installed
from simsearch.settings.sections.operation import ExploreConfig
from simsearch.settings.shown_places import show_text

log = logging.getLogger(__name__)

NETWORKS_KEPT = 6
READABLE = "give a JPEG, PNG, TIFF, JPEG 2000, AVIF, WebP or GIF"
# Uploaded pictures decoded at once. One of 60 megapixels takes half a gigabyte while it is decoded.
DECODES_AT_ONCE = 2
BUSY_SECONDS = 5  # that a request waits for a decoder, and that a refused one is asked to wait
_DECODERS = threading.Semaphore(DECODES_AT_ONCE)
# One lock for the process, not one for each explorer: `torch.fx` follows a network by putting its own
# __call__ into every module, which would disturb a pass in another thread. Besides, two pictures at once
# would only slow each other down.
_ONE_AT_A_TIME = threading.Lock()
WARMING = (
    "encoders of the explorer"  # name of the threads that load encoders before they are needed
)


@dataclass(frozen=True)
class PictureResult:
    """The artworks nearest to a picture in one space, each with its rank and distance, and the `seconds`
    that the search took; or the `error` that prevented the search."""

    space: str
    seconds: float
    neighbours: list[tuple[Neighbour, ViewArtwork]]
    error: str | None = None


class TooLargeError(UsageError):
    """An upload has more bytes than explore.max_upload_bytes."""


class DecodersBusyError(SimsearchError):
    """No decoder is free, as others are searching with pictures."""


async def limit_chunks(chunks: AsyncIterator[bytes], limit: int) -> AsyncGenerator[bytes, None]:
    """Pass the chunks on unchanged. Raises TooLargeError as soon as they exceed `limit` bytes."""
    total = 0
    async for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise TooLargeError(
                f"the picture has more than {limit // 2**20} MiB; give a smaller one"
            )
        yield chunk


def read_picture(
    settings: ExploreConfig, view: SnapshotView, data: bytes, box: Box | None = None
) -> Image.Image:
    """An uploaded picture, or its part in the box, as RGB. Raises UsageError with the fault of the picture,
    DecodersBusyError if no decoder is free for BUSY_SECONDS."""
    if not _DECODERS.acquire(timeout=BUSY_SECONDS):
        raise DecodersBusyError("others ask with pictures just now; try again in some seconds")
    try:
        limits = replace(
            view.config.images.limits,
            max_pixels=settings.max_upload_pixels,
            max_bytes=settings.max_upload_bytes,
        )
        remake = view.plan.settings.remake(limits)
        if box is None:
            return remake.original(data)
        whole = replace(remake, limits=replace(remake.limits, side=LARGEST_SIDE))
        return box.cut(whole.original(data))
    except ImageError as error:
        raise UsageError(
            f"this is not a usable picture ({error.reason}: {error.detail}); {READABLE}"
        ) from None
    finally:
        _DECODERS.release()


def read_file(view: SnapshotView, path: Path) -> Image.Image:
    """A picture file as RGB, made as the snapshot's images were. Raises UsageError with the fault of the
    file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot read it: {error.strerror}") from None
    try:
        return view.plan.settings.remake(view.config.images.limits).original(data)
    except ImageError as error:
        raise UsageError(
            f"{path}: not a usable image ({error.reason}: {error.detail}); {READABLE}"
        ) from None


class PictureQuery:
    """The encoders in use. They are loaded at the first search and kept."""

    def __init__(self) -> None:
        self._encoders: dict[str, Any] = {}

    def warm(self, view: SnapshotView) -> None:
        """Load the encoders in the background, as someone who opens the page is about to search."""
        threading.Thread(target=self._load_all, args=(view,), name=WARMING, daemon=True).start()

    def _load_all(self, view: SnapshotView) -> None:
        for space in view.spaces:
            try:
                with _ONE_AT_A_TIME:
                    self._encoder(view, space)
            except SimsearchError as error:
                log.warning("explore: %s cannot answer pictures: %s", space, error)

    def _encoder(self, view: SnapshotView, space: str) -> Any:
        check_installed("run", "a search by picture")
        from simsearch.reading.picture_search import load_encoder  # PyTorch takes seconds to import

        wanted = view.space(space)
        if wanted.fingerprint not in self._encoders:
            while len(self._encoders) >= NETWORKS_KEPT:
                self._encoders.pop(next(iter(self._encoders)))
            self._encoders[wanted.fingerprint] = load_encoder(view.config, view.snapshot, wanted)
        return self._encoders[wanted.fingerprint]

    def feature_map(
        self, view: SnapshotView, space: str, picture: Image.Image
    ) -> tuple[Any, tuple[float, float, float, float]] | None:
        """The feature map [h, w, C] that a space's encoder makes of a picture, and the window of the picture
        that it covers. None if the encoder has no layer with positions."""
        with _ONE_AT_A_TIME:
            encoder = self._encoder(view, space)
            maps = encoder.feature_map(picture)
        return None if maps is None else (maps, encoder.preprocessing.window(*picture.size))

    def answers(
        self,
        view: SnapshotView,
        picture: Image.Image,
        spaces: list[str],
        n: int,
        *,
        leave_out: ViewArtwork | None = None,
        among: pa.Array | None = None,
    ) -> Iterator[PictureResult]:
        """Yield an answer per space as soon as it is ready, without the artwork `leave_out`, whose picture
        it is, and only with artworks of the ids in `among`."""
        for space in spaces:
            started = time.monotonic()
            try:
                neighbours = self.nearest(view, space, picture, n, leave_out=leave_out, among=among)
            except SimsearchError as error:
                log.warning("explore: %s: %s", space, error)
                yield PictureResult(space, time.monotonic() - started, [], show_text(str(error)))
                continue
            yield PictureResult(space, time.monotonic() - started, neighbours)

    def same_pictures(
        self,
        view: SnapshotView,
        picture: Image.Image,
        *,
        content_hash: str | None = None,
        among: pa.Array | None = None,
    ) -> list[Sighting]:
        """The artworks that show an RGB picture, the surest first: those whose file has the
        `content_hash`, and those that geometry verifies among the nearest to the picture and to its mirror
        images in each trained space. A space that cannot search adds none, as `answers` says."""
        same = [] if content_hash is None else find_same_file(view, content_hash, among)
        candidates: dict[str, ViewArtwork] = {}
        n = view.plan.settings.geometry.candidates
        collapsed = find_collapsed(view.metrics)
        asked = spaces_asked(view.spaces, collapsed, view.untrained) if view.geometry else ()
        for space in asked:
            for turned in (picture, ImageOps.mirror(picture), ImageOps.flip(picture)):
                try:
                    nearest = self.nearest(view, space, turned, n, among=among)
                except SimsearchError:
                    break
                candidates |= {artwork.artwork_id: artwork for _, artwork in nearest}
        for sighting in same:
            candidates.pop(sighting.artwork.artwork_id, None)
        return same + verify_same_picture(view, picture, candidates.values())

    def nearest(
        self,
        view: SnapshotView,
        space: str,
        picture: Image.Image,
        n: int,
        *,
        leave_out: ViewArtwork | None = None,
        among: pa.Array | None = None,
    ) -> list[tuple[Neighbour, ViewArtwork]]:
        """The `n` artworks nearest to an RGB picture in one space, nearest first (see `answers`).

        Raises UsageError if the extra `run` is not installed, MismatchError if the weights at hand are not
        the snapshot's."""
        from simsearch.reading.picture_search import search_picture

        with _ONE_AT_A_TIME:
            encoder = self._encoder(view, space)
            wanted = n if leave_out is None else n + 1
            nearest = search_picture(view.index(space), encoder, view.plan, picture, wanted, among)
        if leave_out is not None:
            nearest.pop(leave_out.artwork_id, None)
        neighbours = []
        for rank, (artwork_id, distance) in enumerate(list(nearest.items())[:n], start=1):
            artwork = view.artwork(artwork_id)
            neighbours.append((Neighbour(rank, artwork.item, distance), artwork))
        return neighbours
