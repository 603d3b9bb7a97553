"""Local features beside vectors: which pictures lack them, and a pass over pictures that have vectors already."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch.catalog.undownloaded import Undownloaded
from simsearch.extraction.batches import Batch
from simsearch.extraction.decode import DecodeSettings, decode_images
from simsearch.extraction.needs import Needs, Orphans
from simsearch.extraction.rejects import reject_lines
from simsearch.features.points import StoredPoints
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.runtime.watchdog import Count, run_followed
from simsearch.schemas import REJECTS
from simsearch.settings.config import Config
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

PICTURES_A_TASK = 64


def with_points_needed(needs: Needs, artworks: pa.Table, points: StoredPoints) -> Needs:
    """The same with a column `points`: whether the local features of an artwork's picture are not stored,
    as far as the picture is known. `artworks` has `artwork_id` and `content_hash`."""
    stored = points.stored().table["content_hash"].combine_chunks()
    places = pc.index_in(
        needs.rows["artwork_id"].combine_chunks(),
        value_set=artworks["artwork_id"].combine_chunks(),
    )
    hashes = artworks["content_hash"].combine_chunks().take(places)
    needed = pc.invert(pc.is_in(hashes, value_set=stored, skip_nulls=True))
    return Needs(needs.rows.append_column("points", needed), needs.flags)


def add_points(
    config: Config, storage: Storage, points: StoredPoints, catalog: pa.Table, images: pa.Table
) -> None:
    """Store the local features that the pictures of `images` (schemas.IMAGES) lack. Of a picture that
    cannot be read any more it is logged that geometry does not see it."""
    rows = _lacking(points, catalog, images)
    if rows.num_rows:
        log.info("extract: local features of %s more pictures", f"{rows.num_rows:,}")
        _describe_all(config, storage, points, rows)
        lacking = _lacking(points, catalog, images).num_rows
        if lacking:
            log.warning(
                "extract: no local features of %s pictures, which cannot be read any more", lacking
            )
    points.compact()


def _lacking(points: StoredPoints, catalog: pa.Table, images: pa.Table) -> pa.Table:
    """The catalog's rows of artworks that show the pictures without local features, one row a picture."""
    originals = images.filter(pc.field("profile").is_null())
    stored = points.stored().table["content_hash"].combine_chunks()
    lacks = originals.filter(pc.invert(pc.is_in(originals["content_hash"], value_set=stored)))
    firsts = lacks.group_by("content_hash").aggregate([("artwork_id", "min")])
    chosen = pc.is_in(catalog["artwork_id"], value_set=firsts["artwork_id_min"].combine_chunks())
    return catalog.filter(chosen).select(["artwork_id", "image_uri", "etag"])


def _describe_all(config: Config, storage: Storage, points: StoredPoints, rows: pa.Table) -> None:
    settings = DecodeSettings(
        storage=storage,
        remake=config.remake(),
        profiles=(),
        preprocessings=(),
        orphans=Orphans.none(1, spaces=1),
        undownloaded=Undownloaded.read(
            storage, config.catalog.download, rows["image_uri"].to_pylist()
        ),
        points=points,
    )
    pending = [
        _describe.remote(rows.slice(start, PICTURES_A_TASK).combine_chunks(), settings)
        for start in range(0, rows.num_rows, PICTURES_A_TASK)
    ]
    count = Count()

    def collect() -> None:
        left = pending
        while left:
            (done,), left = ray.wait(left, num_returns=1)
            pictures, problems = ray.get(done)
            count.tell(count.read() + pictures)
            for line in problems:
                log.warning("extract: no local features: %s", line)

    run_followed("points", rows.num_rows, "pictures", config.ray, collect, count.read)


@ray.remote(num_cpus=TASKS["decode"].cpus, max_retries=ENDLESS)
def _describe(rows: pa.Table, settings: DecodeSettings) -> tuple[int, list[str]]:
    """Stores the local features of a few pictures; returns how many, and why not of the others."""
    batch: Batch = {name: rows[name].to_numpy() for name in rows.column_names}
    batch["points"] = np.ones(rows.num_rows, dtype=bool)
    decoded = decode_images(batch, np.ones((rows.num_rows, 1, 1), dtype=bool), settings)
    rejects = pa.Table.from_pylist(decoded.rejects, schema=REJECTS)
    return rows.num_rows, reject_lines(rejects)
