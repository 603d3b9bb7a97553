"""The vectors that artworks lack, and those stored for pictures that no artwork is known to have: truth
values, one for each variant of an artwork's image (the original, then its copies) in each space.

A million artworks with five copies each in three spaces are eighteen million truth values, 18 MB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Needs:
    """The vectors that artworks lack. `rows` has the artworks' `artwork_id`, `image_uri` and `etag`, and
    `flags` bool [artworks, variants, spaces] marks the vectors."""

    rows: pa.Table
    flags: Flags

    @property
    def count(self) -> int:
        """The number of vectors that are lacking."""
        return int(self.flags.sum())

    def sorted(self) -> Needs:
        """Artworks with equal needs together, so that batches stay full."""
        order = pc.sort_indices(
            pa.table({"need": _keys(self.flags), "artwork_id": self.rows["artwork_id"]}),
            [("need", "descending"), ("artwork_id", "descending")],
        )
        return Needs(self.rows.take(order), self.flags[order.to_numpy()])

    def of_spaces(self, places: Sequence[int]) -> Needs:
        """The needs of some spaces, without the artworks that lack no vector of these."""
        flags = self.flags[:, :, list(places)]
        lacking = flags.any(axis=(1, 2))
        return Needs(self.rows.filter(pa.array(lacking)), flags[lacking])

    def table(self) -> pa.Table:
        """`rows` with a list of the artwork's flags as `need`, and with its number as `row`."""
        width = self.flags.shape[1] * self.flags.shape[2]
        need = pa.FixedSizeListArray.from_arrays(pa.array(self.flags.ravel()), width)
        numbers = pa.array(range(self.rows.num_rows), pa.int64())
        return self.rows.append_column("need", need).append_column("row", numbers)


@dataclass(frozen=True)
class Orphans:
    """Stored vectors of pictures that no artwork of a catalog is known to have. `rows` numbers the
    pictures' content hashes, `held` bool [contents, variants, spaces] marks the stored vectors."""

    rows: Mapping[str, int]
    held: Flags

    @classmethod
    def none(cls, variants: int, spaces: int) -> Orphans:
        return cls({}, np.zeros((0, variants, spaces), bool))

    def stored(self, content_hash: str) -> Flags | None:
        """The stored vectors [variants, spaces] of a picture. None if it is no orphan."""
        row = self.rows.get(content_hash)
        return None if row is None else self.held[row]

    def of_spaces(self, places: Sequence[int]) -> Orphans:
        return Orphans(self.rows, self.held[:, :, list(places)])


def _keys(flags: Flags) -> pa.Array:
    """The flags of each artwork packed into bytes, which have the same order."""
    artworks, variants, spaces = flags.shape
    packed = np.packbits(flags.reshape(artworks, variants * spaces), axis=1)
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(packed.shape[1]), len(packed), [None, pa.py_buffer(packed)]
    )
    return fixed.cast(pa.binary())
