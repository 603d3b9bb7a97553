"""What happens to a batch on its way from catalog rows to feature shards: decode, embed, write.

Each stage is an ordinary callable on a batch of NumPy columns, usable without Ray Data.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.config import ImagesConfig
from simsearch.errors import NotFoundError, StorageError
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.images import decode as images
from simsearch.images.perturbations import get_profile, perturb
from simsearch.images.preprocessing import Preprocessing
from simsearch.schemas import image_id
from simsearch.storage.storage import Storage, read_uri

if TYPE_CHECKING:
    from simsearch.backbones import Network, Weights
from simsearch.storage.parts import write_part

Batch = dict[str, npt.NDArray[Any]]

FETCH_THREADS = 8  # requests in flight per decode task; hides the store's latency


class Counter(Protocol):
    """Counts vectors done and what they cost; in a run `simsearch.counter.RemoteCounter`."""

    def add(self, count: int) -> None: ...

    def timed(self, fingerprint: str, device: str, images: int, seconds: float) -> None: ...


@dataclass(frozen=True)
class DecodeSettings:
    """What `decode_batch` needs besides its rows.

    `orphans` maps content hashes that no known source has to a mask like a row's `need`: the
    vectors already stored for them, which a renamed or touched file finds again.
    """

    storage: Storage
    images: ImagesConfig
    profiles: tuple[str, ...]
    reencode_jpeg: bool
    seed: int
    preprocessings: tuple[Preprocessing, ...]  # one per distinct geometry
    backbones: int
    orphans: Mapping[str, bytes]
    counter: Counter


def decode_batch(batch: Batch, settings: DecodeSettings) -> Batch:
    """Catalog rows to pixels: one row per image (original or copy) that some backbone still needs.

    In: `artwork_id`, `image_uri`, `etag`, and `need`, bytes of 0 and 1: [variants, backbones].
    Out: schemas.IMAGES columns ('' for no profile), `need` uint64 with one bit per backbone, and
    `pixels_<g>` uint8 [n, crop, crop, 3] per geometry. Rejects and content hashes are stored here.
    """
    rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    with ThreadPoolExecutor(FETCH_THREADS) as pool:
        fetched = list(pool.map(lambda row: _fetch(row, settings), rows))
    rejects: list[dict[str, Any]] = []
    sources: list[dict[str, Any]] = []
    decoded: list[dict[str, Any]] = []
    for row, data in zip(rows, fetched, strict=True):
        if isinstance(data, _Refusal):
            rejects.append(_reject(row, "fetch", data.reason, data.detail))
            settings.counter.add(sum(row["need"]))
            continue
        try:
            decoded.extend(_variants(row, data, settings))
        except images.ImageError as error:
            rejects.append(_reject(row, "decode", error.reason, error.detail))
            settings.counter.add(sum(row["need"]))
            continue
        sources.append({**row, "content_hash": images.content_hash(data)})
    write_part(settings.storage, "sources", sources, schemas.SOURCES)
    write_part(settings.storage, "rejects", rejects, schemas.REJECTS)
    return _columns(decoded, settings)


@dataclass(frozen=True)
class _Refusal:
    reason: str
    detail: str


def _fetch(row: Mapping[str, Any], settings: DecodeSettings) -> bytes | _Refusal:
    uri = row["image_uri"]
    if not uri:
        return _Refusal("no image", "the catalog names none")
    if uri.startswith(("http://", "https://")):
        return _Refusal(
            "not downloaded", "run `simsearch ingest` with catalog.download.enabled=true"
        )
    try:
        return read_uri(uri, settings.storage.config, settings.images.max_bytes)
    except NotFoundError:
        return _Refusal("not found", "the catalog names a file that is not there")
    except StorageError as error:
        return _Refusal("unreadable", str(error))


def _variants(
    row: Mapping[str, Any], data: bytes, settings: DecodeSettings
) -> list[dict[str, Any]]:
    content_hash = images.content_hash(data)
    need = np.frombuffer(row["need"], dtype=np.uint8).reshape(-1, settings.backbones)
    if (stored := settings.orphans.get(content_hash)) is not None:
        held = np.frombuffer(stored, dtype=np.uint8).reshape(-1, settings.backbones)
        settings.counter.add(int((need & held).sum()))
        need = need & (1 - held)
    if not need.any():
        return []
    limits = settings.images
    original = images.decode(
        data,
        max_pixels=limits.max_pixels,
        max_bytes=limits.max_bytes,
        background=limits.background,
    )
    found = []
    for profile, wanted in zip((None, *settings.profiles), need, strict=True):
        if not wanted.any():
            continue
        image = original
        if profile is not None:
            image = perturb(
                original,
                get_profile(profile),
                reencode_jpeg=settings.reencode_jpeg,
                seed=settings.seed,
                content_hash=content_hash,
            )
        found.append(
            {
                "image_id": image_id(row["artwork_id"], profile),
                "artwork_id": row["artwork_id"],
                "profile": profile or "",
                "content_hash": content_hash,
                "need": sum(int(bit) << backbone for backbone, bit in enumerate(wanted)),
                "pixels": [each.pixels(image) for each in settings.preprocessings],
            }
        )
    return found


def _columns(decoded: Sequence[Mapping[str, Any]], settings: DecodeSettings) -> Batch:
    columns: Batch = {
        name: np.array([row[name] for row in decoded], dtype=str) for name in schemas.IMAGES.names
    }
    columns["need"] = np.array([row["need"] for row in decoded], dtype=np.uint64)
    for number, each in enumerate(settings.preprocessings):
        pixels = np.empty((len(decoded), each.crop, each.crop, 3), dtype=np.uint8)
        for position, row in enumerate(decoded):
            pixels[position] = row["pixels"][number]
        columns[f"pixels_{number}"] = pixels
    return columns


@dataclass(frozen=True)
class EmbedSettings:
    """One backbone of an actor: its place in `need`, its pixels column, its network's settings."""

    position: int
    pixels: str
    space: FeatureSpace
    preprocessing: Preprocessing


class Embed:
    """Pixels to vectors, for every backbone of one actor pool.

    Adds `vector_<position>` float32 [n, dimension] per backbone (zeros where a row does not need
    it) and drops the pixel columns named in `drop`.
    """

    def __init__(
        self,
        settings: Sequence[EmbedSettings],
        weights: Sequence[Weights],
        *,
        device: str,
        threads: int,
        batch_size: int,
        drop: Sequence[str],
        counter: Counter,
    ) -> None:
        self._settings = list(settings)
        self._drop = frozenset(drop)
        self._counter = counter
        self._device = device
        if device == "cpu":
            self._device = f"cpu, {threads} thread{'s' if threads > 1 else ''}"
        # Ray Data calls an actor on another thread than makes it. OpenMP has a team of workers for
        # every thread that asks for one, and with two teams on the same cores they sleep at each
        # barrier instead of spinning: DenseNet201 on two cores made 13.9 images/s, with one 15.2.
        self._thread = ThreadPoolExecutor(1)
        self._networks = self._thread.submit(
            self._load, weights, device, threads, batch_size
        ).result()

    def _load(
        self, weights: Sequence[Weights], device: str, threads: int, batch_size: int
    ) -> list[Network]:
        # Here, not above: the processes that decode and write start far sooner without PyTorch.
        import torch

        from simsearch.backbones import Network, get_backbone

        torch.set_num_threads(threads)
        return [
            Network(
                get_backbone(each.space.backbone),
                weight.state,
                each.preprocessing,
                precision=each.space.precision,
                mode=each.space.mode,
                device=device,
                batch_size=batch_size,
            )
            for each, weight in zip(self._settings, weights, strict=True)
        ]

    def __call__(self, batch: Batch) -> Batch:
        result = {name: column for name, column in batch.items() if name not in self._drop}
        for each, network in zip(self._settings, self._networks, strict=True):
            wanted = needed(batch["need"], each.position)
            vectors = np.zeros((len(wanted), each.space.dimension), dtype=np.float32)
            if wanted.any():
                pixels = batch[each.pixels]
                started = time.perf_counter()
                asked = self._thread.submit(network, pixels if wanted.all() else pixels[wanted])
                vectors[wanted] = asked.result()
                seconds = time.perf_counter() - started
                self._counter.timed(
                    each.space.fingerprint, self._device, int(wanted.sum()), seconds
                )
            self._counter.add(int(wanted.sum()))
            result[f"vector_{each.position}"] = vectors
        return result


def needed(need: npt.NDArray[np.uint64], position: int) -> npt.NDArray[np.bool_]:
    """Which rows of a `need` bit mask ask for the backbone at `position`."""
    return ((need >> np.uint64(position)) & np.uint64(1)).astype(bool)


def write_batch(batch: Batch, storage: Storage, spaces: Sequence[FeatureSpace]) -> Batch:
    """Store the vectors of a batch, one shard per feature space; returns how many were written.

    A vector that is not finite is a reject of stage `embed`, not a feature.
    """
    rows = pa.table(
        {name: _strings(batch[name], nullable=name == "profile") for name in schemas.IMAGES.names},
        schema=schemas.IMAGES,
    )
    written = 0
    broken: dict[str, dict[str, Any]] = {}
    for position, space in enumerate(spaces):
        vectors = batch[f"vector_{position}"]
        wanted = needed(batch["need"], position)
        finite = np.isfinite(vectors).all(axis=1)
        for row in rows.filter(pa.array(wanted & ~finite)).to_pylist():
            detail = f"{row['image_id']}: {space.backbone} gave a vector that is not finite"
            broken[row["artwork_id"]] = _reject(row, "embed", "not finite", detail)
        kept = wanted & finite
        if kept.any():
            feature_store.write_shard(storage, space, rows.filter(pa.array(kept)), vectors[kept])
            written += int(kept.sum())
    write_part(storage, "rejects", list(broken.values()), schemas.REJECTS)
    return {"vectors": np.array([written])}


def _reject(row: Mapping[str, Any], stage: str, reason: str, detail: str) -> dict[str, Any]:
    return {**row, "stage": stage, "reason": reason, "detail": detail}


def _strings(column: npt.NDArray[Any], *, nullable: bool) -> pa.Array:
    values = [str(value) for value in column]
    return pa.array([value or None for value in values] if nullable else values, pa.string())
