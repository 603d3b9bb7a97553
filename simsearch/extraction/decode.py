"""What happens to a batch on its way from catalog rows to feature shards: decode, embed, write.

Each stage is an ordinary callable on a batch of NumPy columns, usable without Ray Data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch import schemas
from simsearch.catalog.places import is_web
from simsearch.catalog.undownloaded import Undownloaded
from simsearch.errors import NotFoundError, StorageError, UsageError
from simsearch.extraction.batches import Batch, Counter, _reject
from simsearch.images.identity import content_hash
from simsearch.images.limits import ImageError
from simsearch.images.preprocessing import Preprocessing
from simsearch.images.remake import Remake
from simsearch.images.thumbnails import encode, thumbnail_path
from simsearch.schemas import image_id
from simsearch.storage.parts import write_part
from simsearch.storage.regular import NotRegularError
from simsearch.storage.storage import Storage, read_uri

FETCH_THREADS = 8  # requests in flight per decode task; hides the store's latency


@dataclass(frozen=True)
class DecodeSettings:
    """What `decode_batch` needs besides its rows.

    `orphans` maps content hashes that no known source has to a mask like a row's `need`: the
    vectors already stored for them, which a renamed or touched file finds again. `thumbnails` are
    the sizes that the explorer finds in the root afterwards.
    `undownloaded` says why images on the web are not in the store.
    """

    storage: Storage
    remake: Remake
    profiles: tuple[str, ...]
    preprocessings: tuple[Preprocessing, ...]  # one per distinct geometry
    spaces: int
    orphans: Mapping[str, bytes]
    counter: Counter
    thumbnails: tuple[int, ...] = ()
    undownloaded: Undownloaded = field(default_factory=Undownloaded)


def decode_batch(batch: Batch, settings: DecodeSettings) -> Batch:
    """Catalog rows to pixels: one row per image (original or copy) that some space still needs.

    In: `artwork_id`, `image_uri`, `etag`, `row` (its number among all that are to do) and `need`,
    bytes of 0 and 1: [variants, spaces]. Out: schemas.IMAGES columns ('' for no profile), `need`
    uint64 with one bit per space, `place` int64, the place of the image's first space in
    [artworks, variants, spaces], and `pixels_<g>` uint8 [n, crop, crop, 3] per geometry. Rejects,
    content hashes and thumbnails are stored here.
    """
    rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    with ThreadPoolExecutor(FETCH_THREADS) as pool:
        fetched = list(pool.map(lambda row: _fetch(row, settings), rows))
    thumbnails: dict[str, bytes] = {}
    rejects: list[dict[str, Any]] = []
    sources: list[dict[str, Any]] = []
    size = 0
    decoded: list[dict[str, Any]] = []
    for row, file in zip(rows, fetched, strict=True):
        if isinstance(file, _Refusal):
            rejects.append(_reject(row, "fetch", file.reason, file.detail))
            settings.counter.add(_places(row, _mask(row["need"], settings)))
            continue
        try:
            decoded.extend(_variants(row, file, settings, thumbnails))
        except Exception as error:  # noqa: BLE001 - one odd picture costs its row
            failure = _failure(error)
            rejects.append(_reject(row, "decode", failure.reason, failure.detail))
            settings.counter.add(_places(row, _mask(row["need"], settings)))
            continue
        sources.append({**row, "content_hash": file.content_hash})
        size += len(file.data)
    settings.counter.decoded(len(sources), len(decoded), size)
    for reject in rejects:
        settings.counter.rejected(reject["stage"], reject["reason"])
    with ThreadPoolExecutor(FETCH_THREADS) as pool:
        list(pool.map(settings.storage.write_bytes, thumbnails, thumbnails.values()))
    write_part(settings.storage, "sources", sources, schemas.SOURCES)
    write_part(settings.storage, "rejects", rejects, schemas.REJECTS)
    return _columns(decoded, settings)


@dataclass(frozen=True)
class _Refusal:
    reason: str
    detail: str


@dataclass(frozen=True)
class _File:
    """`lacking`: the sizes of its thumbnails that are not in the root."""

    data: bytes
    content_hash: str
    lacking: tuple[int, ...]


def _fetch(row: Mapping[str, Any], settings: DecodeSettings) -> _File | _Refusal:
    uri = row["image_uri"]
    if not uri:
        return _Refusal("no image", "the catalog names none")
    if is_web(uri):
        return _Refusal(*settings.undownloaded.reason(uri))
    try:
        data = read_uri(uri, settings.storage.config, settings.remake.limits.max_bytes)
    except NotFoundError:
        return _Refusal("not found", "the catalog names a file that is not there")
    except UsageError as error:  # an address that no store has
        return _Refusal("not found", str(error))
    except StorageError as error:
        # Another night may find the store in order; a permission is given by somebody.
        lasting = isinstance(error.__cause__, PermissionError | NotRegularError)
        return _Refusal("not permitted" if lasting else "unreadable", str(error))
    digest = content_hash(data)
    lacking = [
        size
        for size in settings.thumbnails
        if not settings.storage.exists(thumbnail_path(digest, size))
    ]
    return _File(data, digest, tuple(lacking))


def _failure(error: Exception) -> ImageError:
    """Why a picture cannot be used, also where it failed after it was decoded."""
    if isinstance(error, ImageError):
        return error
    if isinstance(error, MemoryError):
        return ImageError("too much memory", "to be scaled or copied")
    return ImageError("broken", f"decoded, but then: {type(error).__name__}: {error}"[:200])


def _mask(need: bytes, settings: DecodeSettings) -> npt.NDArray[np.uint8]:
    """[variants, spaces]"""
    return np.frombuffer(need, dtype=np.uint8).reshape(-1, settings.spaces)


def _places(row: Mapping[str, Any], mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Of the vectors in a mask of this row, in [artworks, variants, spaces]."""
    first = int(row["row"]) * mask.size
    return first + np.flatnonzero(mask).astype(np.int64)


def _variants(
    row: Mapping[str, Any], file: _File, settings: DecodeSettings, thumbnails: dict[str, bytes]
) -> list[dict[str, Any]]:
    """The row's images that are needed; `thumbnails` gets those that its file lacks, by path."""
    content_hash = file.content_hash
    need = _mask(row["need"], settings)
    if (stored := settings.orphans.get(content_hash)) is not None:
        held = _mask(stored, settings)
        settings.counter.add(_places(row, need & held))
        need = need & (1 - held)
    if not need.any():
        return []
    original = settings.remake.original(file.data)
    for size in file.lacking:
        if (path := thumbnail_path(content_hash, size)) not in thumbnails:
            thumbnails[path] = encode(original, size)
    images = []
    for variant, (profile, wanted) in enumerate(zip((None, *settings.profiles), need, strict=True)):
        if not wanted.any():
            continue
        image = original
        if profile is not None:
            image = settings.remake.copy(original, profile, content_hash)
        images.append(
            {
                "image_id": image_id(row["artwork_id"], profile),
                "artwork_id": row["artwork_id"],
                "profile": profile or "",
                "content_hash": content_hash,
                "place": (row["row"] * len(need) + variant) * settings.spaces,
                "need": sum(int(bit) << space for space, bit in enumerate(wanted)),
                "pixels": [
                    preprocessing.pixels(image) for preprocessing in settings.preprocessings
                ],
            }
        )
    return images


def _columns(decoded: Sequence[Mapping[str, Any]], settings: DecodeSettings) -> Batch:
    columns: Batch = {
        name: np.array([row[name] for row in decoded], dtype=str) for name in schemas.IMAGES.names
    }
    columns["need"] = np.array([row["need"] for row in decoded], dtype=np.uint64)
    columns["place"] = np.array([row["place"] for row in decoded], dtype=np.int64)
    for number, preprocessing in enumerate(settings.preprocessings):
        pixels = np.empty((len(decoded), preprocessing.crop, preprocessing.crop, 3), dtype=np.uint8)
        for position, row in enumerate(decoded):
            pixels[position] = row["pixels"][number]
        columns[f"pixels_{number}"] = pixels
    return columns
