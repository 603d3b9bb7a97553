"""The report's pictures: the profiles on one artwork, and each space's nearest images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow.compute as pc
from matplotlib.figure import Figure
from PIL import Image

from simsearch.catalog.sampling import seeded_sample
from simsearch.catalog.stored import load_catalog
from simsearch.errors import StorageError
from simsearch.images.identity import content_hash
from simsearch.images.limits import ImageError
from simsearch.reports.picture_figures import Shown, examples_figure, profiles_figure, shortened
from simsearch.settings.config import Config
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import read_uri

NEIGHBOURS_SHOWN = 5


def pictures_of(config: Config, snapshot: Snapshot, plan: Plan) -> dict[str, tuple[Figure, str]]:
    """Figures by name, each with its caption."""
    rows = {row["image_id"]: row for row in snapshot.images().to_pylist()}
    table = load_catalog(snapshot.storage, plan.catalog_id).table
    album = _Album(config, plan, rows, {row["artwork_id"]: row for row in table.to_pylist()})
    copied = [row["artwork_id"] for row in rows.values() if row["profile"] is not None]
    originals = copied or [row["artwork_id"] for row in rows.values()]
    queries = seeded_sample(originals, config.report.examples, config.seed)
    pictures = {}
    if copied:
        panels = [
            album.shown(album.image_ids[queries[0], profile], profile or "original")
            for profile in (None, *plan.profiles)
            if (queries[0], profile) in album.image_ids
        ]
        pictures["profiles"] = (
            profiles_figure(panels),
            f"The perturbation profiles on one artwork: {album.title(queries[0])}.",
        )
    for space in plan.spaces:
        name = f"{space.name}{'' if space.trained else ' (untrained)'}"
        pictures[f"examples-{space.fingerprint}"] = (
            examples_figure([album.example(snapshot, space.name, query) for query in queries]),
            f"{name}: each original, left, and its nearest images by exact search with their distance. "
            + ("Its perturbed copies are framed in green." if copied else ""),
        )
    return pictures


@dataclass(frozen=True)
class _Album:
    """Pictures of a snapshot's images, made again from their originals."""

    config: Config
    plan: Plan
    images: Mapping[str, Mapping[str, Any]]
    artworks: Mapping[str, Mapping[str, Any]]

    @cached_property
    def image_ids(self) -> dict[tuple[str, str | None], str]:
        """The id of each image by its artwork and profile, as the snapshot names it."""
        return {
            (row["artwork_id"], row["profile"]): identifier
            for identifier, row in self.images.items()
        }

    def title(self, artwork_id: str) -> str:
        return shortened(self.artworks[artwork_id]["title"] or artwork_id, 60)

    def shown(self, identifier: str, caption: str, *, copy: bool = False) -> Shown:
        try:
            return Shown(self._picture(identifier), caption, copy)
        except (StorageError, ImageError):
            # Removed or replaced since it was embedded; the figure says so in its place.
            return Shown(Image.new("RGB", (64, 64), "#dddddd"), f"{caption}\n(image is gone)", copy)

    def _picture(self, identifier: str) -> Image.Image:
        row = self.images[identifier]
        remake = self.plan.settings.remake(self.config.images.limits)
        uri = self.artworks[row["artwork_id"]]["image_uri"]
        data = read_uri(uri, self.config.storage, remake.limits.max_bytes)
        if content_hash(data) != row["content_hash"]:
            raise StorageError(f"{uri}: another picture lies there now")
        return remake.image(data, row["profile"], row["content_hash"])

    def example(self, snapshot: Snapshot, space: str, query: str) -> list[Shown]:
        """The original of the artwork `query`, and its nearest images in a space."""
        path = snapshot.neighbours_path(space, "exact")
        original = self.image_ids[query, None]
        nearest = (
            snapshot.storage.read_table(path).filter(pc.field("query_id") == original).to_pylist()
        )
        row = [self.shown(original, shortened(self.artworks[query]["title"] or query))]
        for neighbour in nearest[:NEIGHBOURS_SHOWN]:
            image = self.images[neighbour["neighbour_id"]]
            own = image["artwork_id"] == query
            words = image["profile"] if own else self.artworks[image["artwork_id"]]["title"]
            if not own and image["profile"]:
                words = f"{image['profile']} of {words}"
            caption = f"{shortened(words or image['artwork_id'])}\n{neighbour['distance']:.4f}"
            row.append(self.shown(neighbour["neighbour_id"], caption, copy=own))
        return row
