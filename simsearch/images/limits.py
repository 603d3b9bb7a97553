"""What decoding one image may cost."""

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
