"""The stage of an extraction that fetches and decodes images.

Each stage (decode, embed, write) is an ordinary callable on a batch of NumPy columns, usable without Ray
Data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simsearch import schemas
from simsearch.catalog.image_names import is_web
from simsearch.catalog.undownloaded import Undownloaded
from simsearch.errors import NotFoundError, StorageError, UsageError
from simsearch.extraction.batches import Batch, Counter, _reject
from simsearch.extraction.needs import Flags, Orphans
from simsearch.features.points import StoredPoints
from simsearch.images.identity import content_hash
from simsearch.images.limits import ImageError
from simsearch.images.preprocessing import Preprocessing
from simsearch.images.remake import Remake
from simsearch.images.thumbnails import encode, thumbnail_path
from simsearch.schemas import image_id
from simsearch.storage.parts import write_part
from simsearch.storage.regular import NotRegularError
from simsearch.storage.storage import Storage, read_uri

if TYPE_CHECKING:
    from simsearch.geometry.points import Points

NOT_FOUND = "not found"
FETCH_THREADS = 8  # requests in flight per decode task, which hide the store's latency


@dataclass(frozen=True)
class DecodeSettings:
    """The settings of `decode_batch`.

    A renamed or touched file finds the vectors of `orphans` again. `thumbnails` are the sizes that the
    explorer finds in the root afterwards. `undownloaded` says why images on the web are not in the
    store. `points` (None: nowhere) is where local features are stored.
    """

    storage: Storage
    remake: Remake
    profiles: tuple[str, ...]
    preprocessings: tuple[Preprocessing, ...]  # one per distinct geometry
    orphans: Orphans
    thumbnails: tuple[int, ...] = ()
    undownloaded: Undownloaded = field(default_factory=Undownloaded)
    points: StoredPoints | None = None


@dataclass(frozen=True)
class Decoded:
    """The images [n] of a batch of artworks. `images` has the columns of schemas.IMAGES ('' for no
    profile) and `pixels_<g>` uint8 [n, crop, crop, 3] per geometry. `artworks` and `variants` int64 [n]
    identify the images. `left` bool [artworks, variants, spaces] are the vectors to compute. `files` is
    the number of files read, `size` their bytes. `rejects` are rows of schemas.REJECTS."""

    images: Batch
    artworks: npt.NDArray[np.int64]
    variants: npt.NDArray[np.int64]
    left: Flags
    rejects: list[dict[str, Any]]
    files: int
    size: int


def decode_batch(batch: Batch, settings: DecodeSettings, counter: Counter) -> Batch:
    """Pixels for catalog rows: one row per image (original or copy) that a space still needs.

    In: `artwork_id`, `image_uri`, `etag`, `row` (the artwork's number among those to do) and `need`, a
    list of the flags [variants, spaces]. Out: the columns of `Decoded.images`, `need` bool
    [n, spaces], and `place` int64, the place of the image's first space in [artworks, variants, spaces].
    Raises NodeError for a file that exists on the driver's node but not on this one.
    """
    artworks, variants = len(batch["row"]), 1 + len(settings.profiles)
    needs = np.stack(list(batch["need"])).astype(bool).reshape(artworks, variants, -1)
    decoded = decode_images(batch, needs, settings)
    counter.decoded(decoded.files, len(decoded.artworks), decoded.size)
    for reject in decoded.rejects:
        counter.rejected(reject["stage"], reject["reason"])
        if reject["reason"] == NOT_FOUND:
            counter.check_absent(reject["image_uri"])
    places = np.arange(variants * needs.shape[2]).reshape(needs.shape[1:])
    places = batch["row"].astype(np.int64)[:, None, None] * places.size + places
    done = places[needs & ~decoded.left]
    if len(done):
        counter.add(done)
    chosen = decoded.artworks, decoded.variants
    return {**decoded.images, "need": decoded.left[chosen], "place": places[*chosen, 0]}


def decode_images(batch: Batch, needs: Flags, settings: DecodeSettings) -> Decoded:
    """The images of artworks that `needs` [artworks, variants, spaces] asks for; `batch` has their
    `artwork_id`, `image_uri` and `etag` and, where local features are made, in `points` whether they
    need them. Rejects, content hashes, thumbnails and local features are stored here."""
    names = ("artwork_id", "image_uri", "etag")
    rows = [
        dict(zip(names, values, strict=True))
        for values in zip(*(batch[name] for name in names), strict=True)
    ]
    with ThreadPoolExecutor(FETCH_THREADS) as pool:
        fetched = list(pool.map(lambda row: _fetch(row, settings), rows))
    made = _Made({}, {})
    rejects: list[dict[str, Any]] = []
    sources: list[dict[str, Any]] = []
    size = 0
    images: list[_Image] = []
    left = needs.copy()
    for number, (row, file) in enumerate(zip(rows, fetched, strict=True)):
        if isinstance(file, _Refusal):
            rejects.append(_reject(row, "fetch", file.reason, file.detail))
            left[number] = False
            continue
        if (stored := settings.orphans.stored(file.content_hash)) is not None:
            left[number] &= ~stored
        try:
            variants = np.flatnonzero(left[number].any(axis=1)).tolist()
            if settings.points is not None and not batch["points"][number]:
                file = replace(file, lacks_points=False)
            images.extend(_images(number, row["artwork_id"], variants, file, settings, made))
        except Exception as error:  # noqa: BLE001 - one odd picture costs its row
            failure = _failure(error)
            rejects.append(_reject(row, "decode", failure.reason, failure.detail))
            left[number] = False
            continue
        sources.append({**row, "content_hash": file.content_hash})
        size += len(file.data)
    with ThreadPoolExecutor(FETCH_THREADS) as pool:
        list(pool.map(settings.storage.write_bytes, made.thumbnails, made.thumbnails.values()))
    if settings.points is not None:
        settings.points.write(made.points)
    write_part(settings.storage, "sources", sources, schemas.SOURCES)
    write_part(settings.storage, "rejects", rejects, schemas.REJECTS)
    return Decoded(
        _columns(images, settings),
        np.array([image.artwork for image in images], np.int64),
        np.array([image.variant for image in images], np.int64),
        left,
        rejects,
        len(sources),
        size,
    )


@dataclass(frozen=True)
class _Refusal:
    reason: str
    detail: str


@dataclass(frozen=True)
class _File:
    """`lacking`: the sizes of its thumbnails that are not in the root; `lacks_points`: its local features
    are to be made."""

    data: bytes
    content_hash: str
    lacking: tuple[int, ...]
    lacks_points: bool


def _fetch(row: Mapping[str, Any], settings: DecodeSettings) -> _File | _Refusal:
    uri = row["image_uri"]
    if not uri:
        return _Refusal("no image", "the catalog names none")
    if is_web(uri):
        return _Refusal(*settings.undownloaded.reason(uri))
    try:
        data = read_uri(uri, settings.storage.config, settings.remake.limits.max_bytes)
    except NotFoundError:
        return _Refusal(NOT_FOUND, "the catalog names a file that is not there")
    except UsageError as error:  # an address of a kind that cannot be read
        return _Refusal(NOT_FOUND, str(error))
    except StorageError as error:
        # The store may work another night. A permission has to be given by somebody.
        lasting = isinstance(error.__cause__, PermissionError | NotRegularError)
        return _Refusal("not permitted" if lasting else "unreadable", str(error))
    digest = content_hash(data)
    lacking = [
        size
        for size in settings.thumbnails
        if not settings.storage.exists(thumbnail_path(digest, size))
    ]
    return _File(data, digest, tuple(lacking), settings.points is not None)


def _failure(error: Exception) -> ImageError:
    """Why a picture cannot be used, also for a failure after decoding."""
    if isinstance(error, ImageError):
        return error
    if isinstance(error, MemoryError):
        return ImageError("too much memory", "to be scaled or copied")
    return ImageError("broken", f"decoded, but then: {type(error).__name__}: {error}"[:200])


@dataclass(frozen=True)
class _Made:
    """What a batch's files become beside pixels: thumbnails by path, local features by content hash."""

    thumbnails: dict[str, bytes]
    points: dict[str, Points]


@dataclass(frozen=True)
class _Image:
    """An image of the artwork at a place in its batch: a `row` of schemas.IMAGES, `pixels` per geometry."""

    artwork: int
    variant: int
    row: dict[str, str]
    pixels: list[npt.NDArray[np.uint8]]


def _images(
    artwork: int,
    artwork_id: str,
    variants: Sequence[int],
    file: _File,
    settings: DecodeSettings,
    made: _Made,
) -> list[_Image]:
    """The artwork's images of those `variants`; `made` gets what its file lacks."""
    if not variants:
        return []
    original = settings.remake.original(file.data)
    for size in file.lacking:
        if (path := thumbnail_path(file.content_hash, size)) not in made.thumbnails:
            made.thumbnails[path] = encode(original, size)
    if file.lacks_points and file.content_hash not in made.points:
        from simsearch.geometry.points import points_of  # OpenCV, where geometry is on

        made.points[file.content_hash] = points_of(np.asarray(original))
    images = []
    for variant in variants:
        profile = (None, *settings.profiles)[variant]
        image = original
        if profile is not None:
            image = settings.remake.copy(original, profile, file.content_hash)
        row = {
            "image_id": image_id(artwork_id, profile),
            "artwork_id": artwork_id,
            "profile": profile or "",
            "content_hash": file.content_hash,
        }
        pixels = [preprocessing.pixels(image) for preprocessing in settings.preprocessings]
        images.append(_Image(artwork, variant, row, pixels))
    return images


def _columns(images: Sequence[_Image], settings: DecodeSettings) -> Batch:
    columns: Batch = {
        name: np.array([image.row[name] for image in images], dtype=str)
        for name in schemas.IMAGES.names
    }
    for number, preprocessing in enumerate(settings.preprocessings):
        pixels = np.empty((len(images), preprocessing.crop, preprocessing.crop, 3), dtype=np.uint8)
        for position, image in enumerate(images):
            pixels[position] = image.pixels[number]
        columns[f"pixels_{number}"] = pixels
    return columns
