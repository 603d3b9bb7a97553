"""Metrics for Prometheus during a run, through the metrics agent of each Ray node.

Ray puts `ray_` before each name and adds the node (`NodeAddress`) and the process (`WorkerId`) of a figure.
Callers have to be connected to Ray.
"""

from __future__ import annotations

from functools import cache

from ray.util.metrics import Counter, Gauge

BYTES = "Bytes of images read and of vectors written"


def count_decoded(artworks: int, images: int, size: int) -> None:
    """Count `artworks` whose files, `size` bytes in all, were decoded to `images` (originals and copies)."""
    _count(artworks, "artworks_total", "Artworks whose image was read and decoded")
    _count(images, "images_total", "Images made ready for the networks, copies included")
    _count(size, "bytes_total", BYTES, direction="read")


def count_rejected(stage: str, reason: str) -> None:
    """Count an artwork whose image was rejected. `stage` and `reason` are those of schemas.REJECTS."""
    _count(1, "rejects_total", "Artworks refused", stage=stage, reason=reason)


def count_embedded(space: str, device: str, vectors: int, seconds: float) -> None:
    """Count the `vectors` of one space that a forward pass made in `seconds` of one process."""
    tags = {"space": space, "device": device}
    _count(vectors, "vectors_total", "Vectors computed", **tags)
    _count(seconds, "embed_seconds_total", "Seconds in forward passes", **tags)


def count_written(space: str, vectors: int, size: int) -> None:
    """Count the `vectors` of one space, `size` bytes of float32, that were written to storage."""
    _count(vectors, "vectors_written_total", "Vectors written to the store", space=space)
    _count(size, "bytes_total", BYTES, direction="written")


def set_progress(step: str, left: int, still: float) -> None:
    """Set the rest of a step, in the step's unit, and the seconds for which its count has stood still."""
    _gauge("queue", "What is left of the step that is going, in its unit").set(left, {"step": step})
    _gauge("stalled_seconds", "Seconds since the step last moved").set(still, {"step": step})


def count_stall(step: str) -> None:
    """Count that a step stood still for ray.stall_warn seconds."""
    _count(1, "stalls_total", "Times that a step stood still", step=step)


def _count(more: float, name: str, words: str, **tags: str) -> None:
    """Add to a counter. Ray refuses 0, which comes from a batch of rejects alone, so 0 is skipped."""
    if more:
        _counter(name, words, *tags).inc(more, tags)


@cache
def _counter(name: str, words: str, *tags: str) -> Counter:
    return Counter(f"simsearch_{name}", words, tags)


@cache
def _gauge(name: str, words: str) -> Gauge:
    return Gauge(f"simsearch_{name}", words, ("step",))
