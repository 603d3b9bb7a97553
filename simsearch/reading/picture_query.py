"""Search by a picture: it is read with limits and never stored, and one space after another searches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image, ImageOps

from simsearch.errors import SimsearchError, UsageError
from simsearch.features.collapse import find_collapsed
from simsearch.features.joined import join_vectors
from simsearch.images.identity import content_hash
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
from simsearch.reading.stored_points import PointReader
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


@dataclass(frozen=True, eq=False)
class GivenPicture:
    """An RGB picture to search with, and the content hash of its file; None for a part of a file's picture.
    `vectors` keeps what each space made of the picture, so that no network is asked twice."""

    image: Image.Image
    content_hash: str | None = None
    vectors: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)


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
) -> GivenPicture:
    """An uploaded picture, or its part in the box. Raises UsageError with the fault of the picture,
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
            return GivenPicture(remake.original(data), content_hash(data))
        whole = replace(remake, limits=replace(remake.limits, side=LARGEST_SIDE))
        return GivenPicture(box.cut(whole.original(data)))
    except ImageError as error:
        raise UsageError(
            f"this is not a usable picture ({error.reason}: {error.detail}); {READABLE}"
        ) from None
    finally:
        _DECODERS.release()


def read_file(view: SnapshotView, path: Path) -> GivenPicture:
    """A picture file, made as the snapshot's images were. Raises UsageError with the fault of the
    file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot read it: {error.strerror}") from None
    try:
        image = view.plan.settings.remake(view.config.images.limits).original(data)
    except ImageError as error:
        raise UsageError(
            f"{path}: not a usable image ({error.reason}: {error.detail}); {READABLE}"
        ) from None
    return GivenPicture(image, content_hash(data))


class PictureQuery:
    """The encoders in use. They are loaded at the first search and kept. `points` reads what geometry sees
    of artworks."""

    def __init__(self, points: PointReader) -> None:
        self._encoders: dict[str, Any] = {}
        self._points = points

    def warm(self, view: SnapshotView) -> None:
        """Load the encoders in the background, as someone who opens the page is about to search."""
        threading.Thread(target=self._load_all, args=(view,), name=WARMING, daemon=True).start()

    def _load_all(self, view: SnapshotView) -> None:
        for space in view.spaces:
            if view.space(space).parts:
                continue
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

    def _vector(
        self, view: SnapshotView, space: str, picture: GivenPicture
    ) -> npt.NDArray[np.float32]:
        wanted = view.space(space)
        if wanted.parts:
            vectors = [self._vector(view, part.name, picture) for part in wanted.encoded]
            return join_vectors(vectors, [weight for _, weight in wanted.parts])
        if wanted.fingerprint not in picture.vectors:
            encoder = self._encoder(view, space)
            picture.vectors[wanted.fingerprint] = encoder.vector(picture.image)
        return picture.vectors[wanted.fingerprint]

    def feature_map(
        self, view: SnapshotView, space: str, picture: Image.Image
    ) -> tuple[Any, tuple[float, float, float, float]] | None:
        """The feature map [h, w, C] that a space's encoder makes of a picture, and the window of the picture
        that it covers. None if the encoder has no layer with positions, and for a joined space."""
        if view.space(space).parts:
            return None
        with _ONE_AT_A_TIME:
            encoder = self._encoder(view, space)
            maps = encoder.feature_map(picture)
        return None if maps is None else (maps, encoder.preprocessing.window(*picture.size))

    def answers(
        self,
        view: SnapshotView,
        picture: GivenPicture,
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
        self, view: SnapshotView, picture: GivenPicture, among: pa.Array | None = None
    ) -> list[Sighting]:
        """The artworks that show a picture, of the ids in `among`, the surest first: those with the same
        file, and those that geometry verifies among the nearest to the picture and to its mirror images in
        each trained space. A space that cannot search adds none, as `answers` says. Raises StorageError if
        the artworks' points cannot be read."""
        own = picture.content_hash
        same = [] if own is None else find_same_file(view, own, among)
        candidates: set[str] = set()
        collapsed = find_collapsed(view.metrics)
        asked = spaces_asked(view.spaces, collapsed, view.untrained) if view.geometry else ()
        turned = [GivenPicture(turn(picture.image)) for turn in (ImageOps.mirror, ImageOps.flip)]
        for space in asked:
            for shown in (picture, *turned):
                try:
                    candidates |= self._nearest_files(view, space, shown, among)
                except SimsearchError:
                    break
        if same and own is not None:
            candidates.discard(own)
        pixels = np.asarray(picture.image)
        return same + verify_same_picture(view, pixels, candidates, self._points, among)

    def _nearest_files(
        self, view: SnapshotView, space: str, picture: GivenPicture, among: pa.Array | None
    ) -> set[str]:
        """The content hashes of the nearest files, as many as a run compares with each, however many
        artworks show one."""
        wanted = count = view.plan.settings.geometry.candidates
        while True:
            nearest = self.nearest(view, space, picture, wanted, among=among)
            files = dict.fromkeys(artwork.content_hash for _, artwork in nearest)
            if len(files) >= count or len(nearest) < wanted:
                return set(list(files)[:count])
            wanted *= 2

    def nearest(
        self,
        view: SnapshotView,
        space: str,
        picture: GivenPicture,
        n: int,
        *,
        leave_out: ViewArtwork | None = None,
        among: pa.Array | None = None,
    ) -> list[tuple[Neighbour, ViewArtwork]]:
        """The `n` artworks nearest to a picture in one space, nearest first (see `answers`).

        Raises UsageError if the extra `run` is not installed, MismatchError if the weights at hand are not
        the snapshot's."""
        wanted = n if leave_out is None else n + 1
        with _ONE_AT_A_TIME:
            vector = self._vector(view, space, picture)
            from simsearch.reading.picture_search import (
                search_vector,  # PyTorch, which is there now
            )

            nearest = search_vector(view.index(space), view.plan, vector, wanted, among)
        if leave_out is not None:
            nearest.pop(leave_out.artwork_id, None)
        neighbours = []
        for rank, (artwork_id, distance) in enumerate(list(nearest.items())[:n], start=1):
            artwork = view.artwork(artwork_id)
            neighbours.append((Neighbour(rank, artwork.item, distance), artwork))
        return neighbours
