"""What decoding one image may cost, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What decoding one image may take: pixels, bytes of the file, seconds, bytes of memory; the
    #rrggbb that transparent pixels are laid on; and the `side` that is enough (`scaling.used_size`),
    None: full size."""

    max_pixels: int
    max_bytes: int
    max_seconds: float
    max_memory: int
    background: str
    side: int | None = None


class ImageError(ValueError):
    """Why bytes are no usable image: `reason` is one of REASONS, `detail` says more."""

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
