"""The report's pictures: the profiles on one artwork, and each space's nearest images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from PIL import Image

from simsearch.catalog.sampling import seeded_sample
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.content import remake_image
from simsearch.reading.view import SnapshotView
from simsearch.reports.figure_files import CaptionedFigure
from simsearch.reports.picture_figures import (
    CaptionedPicture,
    neighbours_figure,
    profiles_figure,
    shorten,
)

NEIGHBOURS_SHOWN = 5


def pictures_of(view: SnapshotView) -> dict[str, CaptionedFigure]:
    """Figures by name, each with its caption. The snapshot need not be sealed yet."""
    config, album = view.config, _Album(view)
    items = np.flatnonzero(view.artwork_of_item >= 0)  # without artworks that were taken down
    owners = view.catalog["artwork_id"].take(pa.array(view.artwork_of_item[items])).to_pylist()
    copied = [owners[row] for row in np.flatnonzero(view.profile_of_item[items] >= 0)]
    queries = [
        view.artwork(artwork_id)
        for artwork_id in seeded_sample(copied or owners, config.report.examples, config.seed)
    ]
    pictures = {}
    if copied:
        first = queries[0]
        copies = zip(view.profiles, view.copies[first.number].tolist(), strict=True)
        panels = [("original", first.item), *((name, item) for name, item in copies if item >= 0)]
        pictures["profiles"] = CaptionedFigure(
            profiles_figure([album.shown(item, name) for name, item in panels]),
            f"The perturbation profiles on one artwork: {shorten(album.title(first), 60)}.",
        )
    for space in view.plan.spaces if queries else ():  # no queries if all artworks were taken down
        name = f"{space.name}{'' if space.trained else ' (untrained)'}"
        pictures[f"examples-{space.fingerprint}"] = CaptionedFigure(
            neighbours_figure([album.example(space.name, query) for query in queries]),
            f"{name}: each original, left, and its nearest images by exact search with their distance. "
            + ("Its perturbed copies are framed in green." if copied else ""),
        )
    return pictures


@dataclass(frozen=True)
class _Album:
    """Pictures of a snapshot's images, made again from their originals."""

    view: SnapshotView

    def title(self, artwork: ViewArtwork) -> str:
        return artwork.row["title"] or artwork.artwork_id

    def shown(self, item: int, caption: str, *, copy: bool = False) -> CaptionedPicture:
        if (picture := remake_image(self.view, item)) is None:  # the figure says so in its place
            picture, caption = Image.new("RGB", (64, 64), "#dddddd"), f"{caption}\n(image is gone)"
        return CaptionedPicture(picture, caption, copy)

    def example(self, space: str, query: ViewArtwork) -> list[CaptionedPicture]:
        """The original of an artwork, and its nearest images in a space."""
        row = [self.shown(query.item, shorten(self.title(query)))]
        for neighbour in self.view.stored(space, "exact").of(query)[:NEIGHBOURS_SHOWN]:
            artwork, profile = (
                self.view.artwork_of(neighbour.item),
                self.view.profile_of(neighbour.item),
            )
            own = artwork.number == query.number
            words = profile if own and profile else self.title(artwork)
            if not own and profile:
                words = f"{profile} of {words}"
            caption = f"{shorten(words)}\n{neighbour.distance:.4f}"
            row.append(self.shown(neighbour.item, caption, copy=own))
        return row
