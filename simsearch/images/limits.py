"""The limits of decoding one image, and the error of a failure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of decoding one image: pixels, bytes of the file, seconds, bytes of memory. Also the
    #rrggbb behind transparent pixels, and the `side` that is enough (`scaling.used_size`; None: full
    size)."""

    max_pixels: int
    max_bytes: int
    max_seconds: float
    max_memory: int
    background: str
    side: int | None = None


class ImageError(ValueError):
    """Bytes are no usable image. `reason` is one of REASONS, `detail` says more."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(reason, detail)


REASONS = (
    "empty file",
    "too many bytes",
    "not an image",
    "unsupported",
    "too many pixels",
    "too much memory",
    "too slow",
    "broken",
)
