"""Palettes of JPEG 2000: the boxes `pclr` and `cmap` of ISO/IEC 15444-1, annex I."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.images.limits import ImageError

_DIRECT, _BY_PALETTE = 0, 1  # ways to make a channel of its band
MOST_BITS = 16


@dataclass(frozen=True)
class Palette:
    """A palette: `entries` [entries, columns]. Each channel has its band and its column (None: the band as
    it is). `bits` are those of the channels."""

    entries: npt.NDArray[np.uint16]
    channels: tuple[tuple[int, int | None], ...]
    bits: tuple[int, ...]

    def colours(self, bands: npt.NDArray[np.generic]) -> npt.NDArray[np.uint16]:
        """The channels of a picture [h, w, bands] of indices. Raises ImageError."""
        channels = []
        for band, column in self.channels:
            values = bands[:, :, band]
            if column is not None:
                # An index beyond the palette is its last entry, as in OpenJPEG.
                values = self.entries[
                    np.minimum(values.astype(np.intp), len(self.entries) - 1), column
                ]
            channels.append(values.astype(np.uint16))
        return np.stack(channels, axis=2)


def palette_of(pclr: bytes, cmap: bytes, bits: tuple[int, ...]) -> Palette:
    """The palette of these boxes over bands of `bits`. Raises ImageError."""
    try:
        count, columns = struct.unpack_from(">HB", pclr)
        depths = tuple((depth & 0x7F) + 1 for depth in pclr[3 : 3 + columns])
        sizes = [1 if depth <= 8 else 2 for depth in depths]
        kinds = np.dtype([(f"column{n}", f">u{size}") for n, size in enumerate(sizes)])
        table = np.frombuffer(pclr, kinds, count, 3 + columns)
        entries = np.stack([table[name].astype(np.uint16) for name in kinds.names or ()], axis=1)
        mapped = list(struct.iter_unpack(">HBB", cmap)) or [
            (0, _BY_PALETTE, n) for n in range(columns)
        ]
        channels = tuple(
            (band, column if kind == _BY_PALETTE else None) for band, kind, column in mapped
        )
        own = tuple(bits[band] if column is None else depths[column] for band, column in channels)
        whole = count > 0 and len(channels) > 0 and all(band < len(bits) for band, _ in channels)
    except (struct.error, ValueError, IndexError):
        whole, own = False, ()
    if not whole:
        raise ImageError("broken", "a JPEG 2000 whose palette cannot be read")
    if max(own) > MOST_BITS or any(depth & 0x80 for depth in pclr[3 : 3 + columns]):
        raise ImageError("unsupported", f"a JPEG 2000 with a palette of {max(own)} bits")
    return Palette(entries, channels, own)
