"""A published snapshot in memory, read lazily, for every page of the explorer.

Artworks with an image are numbered in the catalog's order, images by their place in every index. Text ids
from a request are only looked up in dictionaries here.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch.catalog.stored import load_catalog
from simsearch.errors import NotFoundError
from simsearch.evaluation.near_images import number_images
from simsearch.features.collapse import collapse_warnings
from simsearch.features.space import FeatureSpace
from simsearch.indexes.index import OpenIndex, open_index
from simsearch.neighbours.numbering import NumberedImages
from simsearch.reading.artworks import (
    IIIF_IMAGE,
    ImageNumbers,
    Neighbour,
    StoredNeighbours,
    ViewArtwork,
    collection_name,
)
from simsearch.reading.copy_ranks import Ranks, rank_copies
from simsearch.reading.memo import Memo
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import Snapshot

HASH_DIGITS = 20  # of a content hash in addresses: 80 bits, so that no two in a collection agree


class SnapshotView:
    """One snapshot. Tables are read at first use and kept. Safe to share between threads. `edition`
    distinguishes it from the same snapshot before an artwork was taken down."""

    def __init__(self, config: Config, snapshot: Snapshot, edition: str = "") -> None:
        self.config, self.snapshot, self.edition = config, snapshot, edition
        self.plan = snapshot.plan()
        self.profiles = self.plan.profiles
        # Trained networks come first, as their results matter.
        spaces = sorted(self.plan.spaces, key=lambda space: not space.trained)
        self.spaces = tuple(space.name for space in spaces)
        self.untrained = frozenset(space.name for space in self.plan.spaces if not space.trained)
        self._once = Memo().once
        self._join()

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest of a sealed snapshot. Before sealing, everything but this, `created` and `maps` can
        be read."""
        return self.snapshot.manifest()

    @property
    def geometry(self) -> bool:
        """Whether geometry looked for pictures that are the same."""
        return self.plan.settings.geometry.enabled

    @cached_property
    def warnings(self) -> list[str]:
        """Warnings that a reader needs before trusting a figure."""
        return [*self.plan.warnings, *collapse_warnings(self.metrics)]

    @property
    def snapshot_id(self) -> str:
        return self.snapshot.snapshot_id

    @property
    def created(self) -> str:
        """The day on which the snapshot was sealed, as YYYY-MM-DD."""
        return str(self.manifest["created"])[:10]

    @property
    def collection(self) -> str:
        return collection_name(self.plan)

    def _join(self) -> None:
        images = self.snapshot.images()
        self.described = rows = load_catalog(self.snapshot.storage, self.plan.catalog_id).table
        originals = np.flatnonzero(images["profile"].is_null().to_numpy())
        places = pc.index_in(
            rows["artwork_id"].combine_chunks(),
            value_set=images["artwork_id"].combine_chunks().take(pa.array(originals)),
        )
        self.catalog = rows.filter(places.is_valid())
        self.item_of_artwork = originals[places.drop_null().to_numpy()].astype(np.int32)
        self.image_ids = images["image_id"].combine_chunks()
        self.hashes = images["content_hash"].combine_chunks()
        numbers = pc.index_in(
            images["artwork_id"].combine_chunks(),
            value_set=self.catalog["artwork_id"].combine_chunks(),
        )
        self.artwork_of_item: ImageNumbers = pc.fill_null(numbers, -1).to_numpy().astype(np.int32)
        profile = pc.index_in(
            images["profile"].combine_chunks(), value_set=pa.array(self.profiles, pa.string())
        )
        self.profile_of_item: npt.NDArray[np.int16] = (
            pc.fill_null(profile, -1).to_numpy().astype(np.int16)
        )
        ids = self.catalog["artwork_id"].to_pylist()
        self._number_of = {artwork_id: number for number, artwork_id in enumerate(ids)}
        short = pc.utf8_slice_codeunits(self.hashes.take(pa.array(originals)), 0, HASH_DIGITS)
        self._item_of_hash: dict[str, int] = dict(
            zip(short.to_pylist(), originals.tolist(), strict=True)
        )

    def __len__(self) -> int:
        return len(self.item_of_artwork)

    def artwork(self, artwork_id: str) -> ViewArtwork:
        """The artwork of an id. Raises NotFoundError for one that this snapshot does not hold."""
        number = self._number_of.get(artwork_id)
        if number is None:
            raise NotFoundError(
                "no artwork of that id has an image in this snapshot; search for it"
            )
        return self.artwork_at(number)

    def number_of(self, artwork_id: str) -> int | None:
        """The number of an artwork. None if this snapshot has no image of it."""
        return self._number_of.get(artwork_id)

    def artwork_at(self, number: int) -> ViewArtwork:
        item = int(self.item_of_artwork[number])
        (row,) = self.catalog.slice(number, 1).to_pylist()
        return ViewArtwork(number, item, self.hashes[item].as_py(), row)

    def artwork_of(self, item: int) -> ViewArtwork:
        return self.artwork_at(int(self.artwork_of_item[item]))

    def profile_of(self, item: int) -> str | None:
        place = int(self.profile_of_item[item])
        return None if place < 0 else self.profiles[place]

    def item_of_hash(self, short_hash: str) -> int:
        """The original with those bytes. Raises NotFoundError for a hash of no image here."""
        try:
            return self._item_of_hash[short_hash]
        except KeyError:
            raise NotFoundError("no picture of that name in this snapshot") from None

    def space(self, name: str) -> FeatureSpace:
        """The feature space of a name. Raises NotFoundError for one that this snapshot does not
        hold."""
        if name not in self.spaces:
            raise NotFoundError(
                f"no such space in this snapshot; it holds {', '.join(self.spaces)}"
            )
        return self.plan.space(name)

    @property
    def depth(self) -> int:
        """The number of stored neighbours per artwork."""
        return int(self.plan.settings.evaluate.neighbours)

    def index(self, space: str) -> OpenIndex:
        """The index of a space, mapped from disk."""
        fingerprint = self.space(space).fingerprint
        return self._once(
            ("index", space),
            lambda: open_index(
                self.snapshot.storage,
                self.snapshot.index_folder(space),
                fingerprint,
                verify=False,
            ),
        )

    def stored(self, space: str, search: str) -> StoredNeighbours:
        """The stored neighbours, by `annoy` or by `exact` search."""
        self.space(space)
        return self._once(("neighbours", space, search), lambda: self._read_stored(space, search))

    def _read_stored(self, space: str, search: str) -> StoredNeighbours:
        path = self.snapshot.neighbours_path(space, search)

        # One column at a time: two columns of ids take gigabytes for 160,000 artworks.
        def column(name: str) -> pa.ChunkedArray:
            return self.snapshot.storage.read_table(path, [name])[name]

        rows = self.artwork_of_item[self._items_of(column("query_id"))]
        ranks = column("rank").to_numpy() - 1
        shape = (len(self), int(ranks.max(initial=0)) + 1)
        items = np.full(shape, -1, dtype=np.int32)
        distances = np.full(shape, np.inf, dtype=np.float32)
        items[rows, ranks] = self._items_of(column("neighbour_id"))
        distances[rows, ranks] = column("distance").to_numpy()
        return StoredNeighbours(items, distances)

    def _items_of(self, image_ids: pa.ChunkedArray) -> ImageNumbers:
        places = pc.index_in(image_ids, value_set=self.image_ids)
        return np.asarray(places.to_numpy(), dtype=np.int32)

    def nearest_artworks(self, space: str, artwork: ViewArtwork, n: int) -> list[Neighbour]:
        """The nearest `n` other artworks by the index, each at its nearest image. The artwork's own copies
        are left out."""
        variants = 1 + len(self.profiles)
        index = self.index(space)
        wanted = (n + 1) * variants
        neighbours = index.near([artwork.item], wanted)
        nearest: dict[int, tuple[int, float]] = {}
        for item, distance in zip(
            neighbours.items[0].tolist(), neighbours.distances[0].tolist(), strict=True
        ):
            number = int(self.artwork_of_item[item]) if item >= 0 else -1
            if number not in (artwork.number, -1):
                nearest.setdefault(number, (int(self.item_of_artwork[number]), distance))
        return [
            Neighbour(rank, item, distance)
            for rank, (item, distance) in enumerate(list(nearest.values())[:n], start=1)
        ]

    @cached_property
    def copies(self) -> ImageNumbers:
        """The items of each artwork's copies [artworks, profiles]; −1: not made."""
        copies = np.full((len(self), len(self.profiles)), -1, dtype=np.int32)
        items = np.flatnonzero((self.profile_of_item >= 0) & (self.artwork_of_item >= 0))
        copies[self.artwork_of_item[items], self.profile_of_item[items]] = items
        return copies

    @cached_property
    def numbered(self) -> NumberedImages:
        """The images as scores number them, with near-duplicates. Raises NotFoundError before the neighbours
        are whole."""
        return number_images(self.snapshot, self.snapshot.images(), self.profiles)

    def copy_ranks(self, space: str) -> Ranks:
        """The exact ranks of each artwork's copies [artworks, profiles], without images of near-duplicates.
        0: beyond the depth of the stored neighbours, −1: not made."""
        return self._once(
            ("ranks", space),
            lambda: rank_copies(
                self.stored(space, "exact").items,
                self.copies,
                self.numbered,
                self.item_of_artwork,
                lambda: self.index(space),
            ),
        )

    def distance(self, space: str, first: int, second: int) -> float:
        return float(self.index(space).distances([first], [second])[0])

    @cached_property
    def metrics(self) -> pa.Table:
        return self.snapshot.storage.read_table(self.snapshot.metrics_path)

    @cached_property
    def rejects(self) -> pa.Table:
        return self.snapshot.rejects()

    @cached_property
    def maps(self) -> dict[str, tuple[str, ...]]:
        """The projection methods of each space's maps."""
        files = {file for file in self.manifest["files"] if file.startswith("projection/")}
        return {
            space: methods
            for space in self.spaces
            if (
                methods := tuple(
                    method
                    for method in ("umap", "pca")
                    if f"projection/{space}-{method}.parquet" in files
                )
            )
        }

    def coordinates(self, space: str, method: str) -> npt.NDArray[np.float32]:
        """The place of each artwork on a map, [artworks, 2]. Raises NotFoundError if there is no such map."""
        if method not in self.maps.get(space, ()):
            raise NotFoundError("no such map in this snapshot; `simsearch run` makes them")
        return self._once(("map", space, method), lambda: self._read_map(space, method))

    def _read_map(self, space: str, method: str) -> npt.NDArray[np.float32]:
        path = self.snapshot.projection_path(space, method)
        table = self.snapshot.storage.read_table(path, ["artwork_id", "x", "y"])
        places = pc.index_in(
            self.catalog["artwork_id"].combine_chunks(),
            value_set=table["artwork_id"].combine_chunks(),
        )
        points = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)
        return np.asarray(points[places.to_numpy()], dtype=np.float32)

    @cached_property
    def iiif_hosts(self) -> tuple[str, ...]:
        """The image servers of the catalog's pictures, for the Content-Security-Policy."""
        uris = self.catalog["image_uri"].drop_null().to_pylist()
        hosts = {match["host"] for uri in uris if (match := IIIF_IMAGE.match(uri))}
        return tuple(sorted(hosts))
