"""A snapshot's images as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas

NEIGHBOURHOOD_KS = (1, 5, 10)

Items = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NumberedImages:
    """The images of a snapshot by item number.

    - `artworks` int64 [items]: the number of each image's artwork.
    - `profiles` int16 [items]: the number of each image's profile, −1 for an original.
    - `pictures` int64 [items]: the number of the content that an image shows or was made from.
    - `originals` int64 [n]: the items that are originals.
    - `near` int64 [p]: the pairs of near-duplicate pictures a, b as a × items + b, in both orders,
      ascending. Artworks with the same picture are near-duplicates too, without a pair in `near`.
    """

    names: tuple[str, ...]
    artworks: Items
    profiles: npt.NDArray[np.int16]
    pictures: Items
    originals: Items
    near: Items

    @classmethod
    def of(cls, images: pa.Table, names: Sequence[str]) -> NumberedImages:
        """Number the rows of `images` (schemas.IMAGES) with the profiles `names`. Near-duplicates are added
        by `with_near`."""
        _, artworks = np.unique(images["artwork_id"].to_numpy(), return_inverse=True)
        numbers = {profile: number for number, profile in enumerate(names)}
        profiles = np.array(
            [numbers.get(profile, -1) for profile in images["profile"].to_pylist()], np.int16
        )
        _, pictures = np.unique(images["content_hash"].to_numpy(), return_inverse=True)
        originals = np.flatnonzero(profiles < 0)
        return cls(tuple(names), artworks, profiles, pictures, originals, np.zeros(0, np.int64))

    def with_near(self, pairs: Iterable[tuple[int, int]]) -> NumberedImages:
        """The same images with pairs of near-duplicate originals, by their place in `originals`."""
        listed = np.array(list(pairs), np.int64).reshape(-1, 2)
        first, second = (self.pictures[self.originals[column]] for column in listed.T)
        first, second = first[first != second], second[first != second]
        near = np.concatenate([self._pair(first, second), self._pair(second, first)])
        return replace(self, near=np.unique(near))

    @property
    def _count(self) -> int:
        """The number of artworks, at least 1."""
        return int(self.artworks.max()) + 1 if len(self.artworks) else 1

    def _pair(self, first: Items, second: Items) -> Items:
        return np.asarray(first * len(self.pictures) + second)

    @property
    def have_copies(self) -> npt.NDArray[np.bool_]:
        """Whether each original [n] has copies."""
        return self.relevant(range(len(self.names))) > 0

    def relevant(self, members: Iterable[int]) -> Items:
        """The number of copies of the profiles `members` that each original [n] has."""
        wanted = np.isin(self.profiles, np.array(list(members), np.int16))
        counts = np.bincount(self.artworks[wanted], minlength=self._count)
        return np.asarray(counts[self.artworks[self.originals]])

    def places_of(self, items: Items) -> Items:
        """The place of each of the `items` among the originals, −1 for an item that is no original."""
        place_of = np.full(
            len(self.artworks) + 1, -1, np.int64
        )  # item −1, which is none, reads the last place
        place_of[self.originals] = np.arange(len(self.originals))
        return np.asarray(place_of[items])

    def by_picture(self) -> dict[int, Items]:
        """The places of the originals that show each picture, by the picture."""
        pictures = self.pictures[self.originals]
        order = np.argsort(pictures, kind="stable")
        shown, starts = np.unique(pictures[order], return_index=True)
        return dict(zip(shown.tolist(), np.split(order, starts[1:]), strict=True))

    def near_to(self, items: Items, places: Items | None = None) -> npt.NDArray[np.bool_]:
        """Whether each of the `items` [n, k] retrieved for originals is an image of a near-duplicate of the
        original, bool [n, k]. The originals are all, or those at `places` among the originals."""
        queries = self.originals if places is None else self.originals[places]
        own, theirs = self.artworks[queries][:, None], self.artworks[items]
        picture, other = self.pictures[queries][:, None], self.pictures[items]
        near = np.isin(self._pair(picture, other), self.near) | (picture == other) & (own != theirs)
        return np.asarray(near & (items >= 0))

    def near_images(self) -> Items:
        """The number of images of each original's [n] near-duplicates."""
        images = np.bincount(self.pictures, minlength=1)
        first, second = np.divmod(self.near, max(1, len(self.pictures)))
        counts = images.copy()
        np.add.at(counts, first, images[second])
        own = np.bincount(self.artworks, minlength=1)
        return np.asarray(
            counts[self.pictures[self.originals]] - own[self.artworks[self.originals]]
        )

    def near_groups(self) -> Iterator[tuple[Items, Items]]:
        """For each picture with near-duplicates, the places of the originals that show it, and of those that
        show it or a near-duplicate of it."""
        places = self.by_picture()
        first, second = np.divmod(self.near, max(1, len(self.pictures)))
        for picture, own in places.items():
            start, end = np.searchsorted(first, [picture, picture + 1])
            near = np.concatenate([own, *(places[other] for other in second[start:end].tolist())])
            if len(near) > 1:
                yield own, near

    def near_items(self, row: int) -> Items:
        """The items that are images of the near-duplicates of the original at place `row`."""
        original = self.originals[row]
        picture = self.pictures[original]
        ends = self._pair(np.array([picture, picture + 1]), np.zeros(2, np.int64))
        start, end = np.searchsorted(self.near, ends)
        near = np.isin(self.pictures, self.near[start:end] % len(self.pictures))
        near |= (self.pictures == picture) & (self.artworks != self.artworks[original])
        return np.flatnonzero(near)


def listed_pairs(table: pa.Table, ids: npt.NDArray[np.object_]) -> Items:
    """The pairs of artworks [p, 2] that show the same picture, by a table of schemas.NEAR_DUPLICATES, as
    places in `ids`."""
    same = pc.invert(pc.is_in(table["relation"], value_set=pa.array(schemas.OTHER_PICTURES)))
    artworks, table = pa.array(ids, pa.string()), table.filter(same)
    both = (table[name].combine_chunks() for name in ("artwork_id", "other_id"))
    columns = [pc.index_in(column, value_set=artworks).to_numpy() for column in both]
    return np.stack(columns, axis=1).astype(np.int64)
