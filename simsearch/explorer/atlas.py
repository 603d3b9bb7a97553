"""The newest snapshot for Embedding Atlas (github.com/apple/embedding-atlas): a Parquet file per space.

Embedding Atlas' command line takes the columns `x`, `y`, `image` (a struct with the file's bytes), and
`neighbors` (a struct of row numbers and distances; every row has the same number of them, because Embedding
Atlas makes a matrix of them). The catalog's fields and the share of copies found follow. `year` is a date, the first of January:
a number would be shown as "1,680", and a text would be ordered by frequency. Names of the map's regions lie
beside the file as JSON, in Embedding Atlas' form for labels.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from simsearch.errors import NotFoundError, UsageError
from simsearch.explorer.aside import write_aside
from simsearch.explorer.pages.site import Site
from simsearch.reading.facets import years_of
from simsearch.reading.library import Library
from simsearch.reading.map_data import NAMING
from simsearch.reading.recovery import recovered_shares
from simsearch.reading.regions import LEVELS, inner_regions
from simsearch.reading.view import SnapshotView
from simsearch.runtime.progress import progress
from simsearch.settings.config import Config

log = logging.getLogger(__name__)

NEIGHBOURS = 10
ROWS_AT_ONCE = 2000
LARGE_UP_TO = 20_000  # artworks; for more, pictures of 96 pixels keep the file below a gigabyte

TEXTS = (
    "title", "date", "medium", "dimensions", "department", "classification", "credit", "rights", "url",
)  # fmt: skip
SCHEMA = pa.schema(
    [
        pa.field("artwork_id", pa.string(), nullable=False),
        *(pa.field(name, pa.string()) for name in TEXTS[:1]),
        pa.field("artists", pa.string()),
        *(pa.field(name, pa.string()) for name in TEXTS[1:]),
        pa.field("year", pa.date32()),
        pa.field(
            "copies_found", pa.float64()
        ),  # share of the artwork's copies; null if it has none
        pa.field("x", pa.float64(), nullable=False),
        pa.field("y", pa.float64(), nullable=False),
        pa.field(
            "neighbors",
            pa.struct([("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float64()))]),
        ),
        pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
    ]
)


def export_atlas(config: Config, roots: list[str], folder: str) -> str:
    """Write a Parquet file for each space with a map, in place of those of an earlier export. Returns the
    commands that open the files.

    Raises UsageError for a snapshot without a map, and the errors of `write_aside`.
    """
    site = Site(Library(config, roots[:1]))
    view = site.library.view()
    if not view.maps:
        raise UsageError(
            "--export-atlas: the snapshot has no map; name one in projection.methods and run again"
        )
    with write_aside("--export-atlas", folder, "atlas", view.snapshot_id) as new:
        labelled = {space: _write(site, view, space, new) for space in view.maps}
    return "\n".join(_command(Path(folder), space, labels) for space, labels in labelled.items())


def _command(folder: Path, space: str, labels: bool) -> str:
    """The command that opens a space's file."""
    command = (
        f"embedding-atlas {folder / space}.parquet --x x --y y --neighbors neighbors "
        "--image image --text title"
    )
    return f"{command} --labels {folder / space}-labels.json" if labels else command


def _write(site: Site, view: SnapshotView, space: str, target: Path) -> bool:
    """Write a space's files. Returns whether its map has labels."""
    points = view.coordinates(space, view.maps[space][0]).astype(np.float64)
    with (
        pq.ParquetWriter(target / f"{space}.parquet", SCHEMA, compression="zstd") as writer,
        progress(f"export-atlas {space}", len(view), "artworks", 10) as advance,
    ):
        for batch in _batches(site, view, space, points, advance):
            writer.write_table(batch)
    labels = _labels(site, view, points)
    if not labels:  # Embedding Atlas then names parts of the map by words of the titles
        log.info("export-atlas %s: no metadata stands out in any part of its map", space)
        return False
    text = json.dumps(labels, ensure_ascii=False, indent=1)
    (target / f"{space}-labels.json").write_text(f"{text}\n")
    return True


def _batches(
    site: Site,
    view: SnapshotView,
    space: str,
    points: npt.NDArray[np.float64],
    advance: Callable[[int], None],
) -> Iterator[pa.Table]:
    years = years_of(view)
    shares = recovered_shares(view, space) if view.profiles else [None] * len(view)
    size = 400 if len(view) <= LARGE_UP_TO else 96
    for start in range(0, len(view), ROWS_AT_ONCE):
        rows = []
        for number in range(start, min(start + ROWS_AT_ONCE, len(view))):
            artwork, year = view.artwork_at(number), years[number]
            rows.append(
                {name: artwork.row[name] for name in TEXTS}
                | {
                    "artwork_id": artwork.artwork_id,
                    "artists": artwork.all_artists or None,
                    "year": None if year is None else _new_year(year),
                    "copies_found": shares[number],
                    "x": points[number, 0],
                    "y": points[number, 1],
                    "neighbors": _neighbours(view, space, number),
                    "image": _image(site, view, artwork.item, size),
                }
            )
            advance(number + 1)
        yield pa.Table.from_pylist(rows, schema=SCHEMA)


def _new_year(year: int) -> int:
    """The first of January of a year, in days since 1970. The calendar has a year 0: 300 B.C. is −299."""
    years = (year + 1 if year < 0 else year) - 1970
    return int(np.datetime64(years, "Y").astype("datetime64[D]").astype(np.int64))


def _neighbours(view: SnapshotView, space: str, number: int) -> dict[str, Any]:
    """The nearest other artworks, the same number for every artwork of a snapshot."""
    count = min(NEIGHBOURS, len(view) - 1)
    neighbours = view.nearest_artworks(space, view.artwork_at(number), count)
    return {
        "ids": [int(view.artwork_of_item[neighbour.item]) for neighbour in neighbours],
        "distances": [neighbour.distance for neighbour in neighbours],
    }


def _image(site: Site, view: SnapshotView, item: int, size: int) -> dict[str, Any] | None:
    try:
        return {"bytes": site.pictures.thumbnail(view, item, size), "path": None}
    except NotFoundError as error:
        log.warning("export-atlas: %s", error)
        return None


def _labels(
    site: Site, view: SnapshotView, points: npt.NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Names of the regions at their places, with the level and priority of Embedding Atlas' labels."""
    facets = [facet for facet in site.map_data(view).facets if facet.key in NAMING]
    return [
        {
            "x": region.x,
            "y": region.y,
            "text": " · ".join(facets[name.facet].labels[name.code] for name in region.names),
            "level": region.level - LEVELS[0],
            "priority": region.names[0].score,
        }
        for region in inner_regions(points, facets)
    ]
