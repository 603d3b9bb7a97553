"""Pixels to learn from: images and copies, decoded by the extraction's stage. They stay in the root while
a training needs them, so that a training that was killed decodes none twice.

    training/<key>/pixels/part-<digest>.parquet
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch.catalog.undownloaded import Undownloaded
from simsearch.extraction.batches import Batch
from simsearch.extraction.decode import DecodeSettings, decode_images
from simsearch.extraction.needs import Orphans
from simsearch.images.preprocessing import Preprocessing
from simsearch.runtime.ray_data import set_up_ray_data
from simsearch.runtime.resources import TASKS
from simsearch.runtime.watchdog import Count, run_followed
from simsearch.settings.config import Config
from simsearch.storage.storage import Storage

ARTWORKS_A_PART = 64

Pixels = npt.NDArray[np.uint8]

PIXELS = pa.schema(
    [
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("profile", pa.string()),  # null for an original
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("pixels", pa.binary(), nullable=False),  # uint8 [side, side, 3]
    ]
)


@dataclass(frozen=True)
class PixelSet:
    """Decoded images: `rows` has PIXELS' columns without the pixels, and `pixels` uint8 [n, side, side, 3]
    are in the same order, by artwork and profile."""

    rows: pa.Table
    pixels: Pixels

    def select(self, wanted: npt.NDArray[np.bool_]) -> PixelSet:
        return PixelSet(self.rows.filter(pa.array(wanted)), self.pixels[wanted])

    @property
    def originals(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.rows["profile"].is_null())

    def original_of(self) -> npt.NDArray[np.int64]:
        """The row of each image's original [n]."""
        originals = np.flatnonzero(self.originals)
        ids = self.rows["artwork_id"].combine_chunks()
        places = pc.index_in(ids, value_set=ids.take(pa.array(originals)))
        return np.asarray(originals[places.to_numpy()])

    @property
    def digest(self) -> str:
        """The SHA-256 of the images' names and pixels."""
        digest = hashlib.sha256(self.pixels.tobytes())
        for name in ("artwork_id", "profile"):
            digest.update("\n".join(str(value) for value in self.rows[name].to_pylist()).encode())
        return digest.hexdigest()


def decode_pixels(
    config: Config,
    storage: Storage,
    folder: str,
    catalog: pa.Table,
    shown: Preprocessing,
    profiles: Sequence[str],
) -> None:
    """Store the pixels that `folder` lacks, of a catalog's originals and of their copies. An unreadable
    image becomes a row of `rejects`, as in an extraction."""
    variants = len(profiles) + 1
    stored = _list_stored(storage, folder, profiles)
    rows = catalog.select(["artwork_id", "image_uri", "etag"])
    rows = rows.filter(
        pc.invert(pc.is_in(rows["artwork_id"], value_set=pa.array(stored, pa.string())))
    )
    if not rows.num_rows:
        return
    settings = DecodeSettings(
        storage=storage,
        remake=config.remake(),
        profiles=tuple(profiles),
        preprocessings=(shown,),
        orphans=Orphans.none(variants, spaces=1),
        undownloaded=Undownloaded.read(
            storage, config.catalog.download, rows["image_uri"].to_pylist()
        ),
    )
    blocks = [rows.slice(start, ARTWORKS_A_PART) for start in range(0, len(rows), ARTWORKS_A_PART)]
    set_up_ray_data()
    decoded = ray.data.from_arrow(blocks).map_batches(
        partial(_decode_part, settings=settings, folder=folder),
        batch_size=None,
        batch_format="numpy",
        num_cpus=TASKS["decode"].cpus,
    )
    count = Count()

    def decode() -> None:
        for part in decoded.iter_batches(batch_size=None, batch_format="numpy"):
            count.tell(count.read() + int(np.sum(part["images"])))

    total = len(rows) * variants
    run_followed("train: decode", total, "images", config.ray, decode, count.read)


def read_pixels(storage: Storage, folder: str, side: int) -> PixelSet:
    """All stored pixels, each image once."""
    parts = [storage.read_table(f"{folder}/{info.path}") for info in storage.files(folder)]
    table = pa.concat_tables(parts or [PIXELS.empty_table()]).combine_chunks()
    profile = pc.fill_null(table["profile"], "")
    order = pa.table({"artwork_id": table["artwork_id"], "profile": profile})
    places = pc.sort_indices(order, [("artwork_id", "ascending"), ("profile", "ascending")])
    table = table.take(places)
    keys = pc.binary_join_element_wise(
        table["artwork_id"], pc.fill_null(table["profile"], ""), "/"
    ).to_numpy()
    first = np.append([True], keys[1:] != keys[:-1])[: len(keys)]
    table = table.filter(pa.array(first))
    flat = np.frombuffer(b"".join(table["pixels"].to_pylist()), dtype=np.uint8)
    return PixelSet(table.drop(["pixels"]), flat.reshape(-1, side, side, 3))


def _decode_part(batch: Batch, settings: DecodeSettings, folder: str) -> Mapping[str, Any]:
    everything = np.ones((len(batch["artwork_id"]), 1 + len(settings.profiles), 1), bool)
    decoded = decode_images(batch, everything, settings).images
    table = pa.table(
        {
            "artwork_id": pa.array(decoded["artwork_id"].tolist(), pa.string()),
            "profile": pa.array(
                [value or None for value in decoded["profile"].tolist()], pa.string()
            ),
            "content_hash": pa.array(decoded["content_hash"].tolist(), pa.string()),
            "pixels": pa.array([image.tobytes() for image in decoded["pixels_0"]], pa.binary()),
        },
        schema=PIXELS,
    )
    if table.num_rows:
        listed = "\n".join(sorted(decoded["image_id"].tolist()))
        name = hashlib.sha256(listed.encode()).hexdigest()[:20]
        settings.storage.write_table(f"{folder}/part-{name}.parquet", table)
    return {"images": np.array([table.num_rows])}


def count_images(storage: Storage, folder: str, artworks: Collection[str]) -> int:
    """The number of stored images of `artworks`. Their pixels are not read."""
    profiles_of = _profiles_by_artwork(storage, folder)
    return sum(len(profiles) for artwork, profiles in profiles_of.items() if artwork in artworks)


def _list_stored(storage: Storage, folder: str, profiles: Sequence[str]) -> list[str]:
    """The artworks whose original and copies are all stored."""
    wanted = {None, *profiles}
    profiles_of = _profiles_by_artwork(storage, folder)
    return sorted(artwork for artwork, have in profiles_of.items() if wanted <= have)


def _profiles_by_artwork(storage: Storage, folder: str) -> dict[str, set[str | None]]:
    profiles_of: dict[str, set[str | None]] = {}
    for info in storage.files(folder):
        part = storage.read_table(f"{folder}/{info.path}", ["artwork_id", "profile"])
        for artwork, profile in zip(
            *(part[name].to_pylist() for name in part.column_names), strict=True
        ):
            profiles_of.setdefault(artwork, set()).add(profile)
    return profiles_of
