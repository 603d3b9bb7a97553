"""What a run tells Prometheus while it is going, through the metrics agent of each Ray node.

Ray puts `ray_` before each name and adds the node (`NodeAddress`) and the process (`WorkerId`) that a
figure comes from. Whoever calls this is connected to Ray.
"""

from __future__ import annotations

from functools import cache

from ray.util.metrics import Counter, Gauge

BYTES = "Bytes of images read and of vectors written"


def decoded(artworks: int, images: int, size: int) -> None:
    """Count `artworks` whose files, `size` bytes in all, were decoded to `images` (originals and
    copies together)."""
    _count(artworks, "artworks_total", "Artworks whose image was read and decoded")
    _count(images, "images_total", "Images made ready for the networks, copies included")
    _count(size, "bytes_total", BYTES, direction="read")


def rejected(stage: str, reason: str) -> None:
    """Count an artwork whose image was refused; `stage` and `reason` are as in schemas.REJECTS."""
    _count(1, "rejects_total", "Artworks refused", stage=stage, reason=reason)


def embedded(space: str, device: str, vectors: int, seconds: float) -> None:
    """Count the `vectors` of one space that a forward pass made in `seconds` of one process."""
    tags = {"space": space, "device": device}
    _count(vectors, "vectors_total", "Vectors computed", **tags)
    _count(seconds, "embed_seconds_total", "Seconds in forward passes", **tags)


def written(space: str, vectors: int, size: int) -> None:
    """Count the `vectors` of one space, `size` bytes of float32, that were written to storage."""
    _count(vectors, "vectors_written_total", "Vectors written to the store", space=space)
    _count(size, "bytes_total", BYTES, direction="written")


def moved(step: str, left: int, still: float) -> None:
    """Set how much of a step is left, in the step's own unit, and for how many seconds its count has
    been standing still."""
    _gauge("queue", "What is left of the step that is going, in its unit").set(left, {"step": step})
    _gauge("stalled_seconds", "Seconds since the step last moved").set(still, {"step": step})


def stalled(step: str) -> None:
    """Count that a step stood still for ray.stall_warn seconds."""
    _count(1, "stalls_total", "Times that a step stood still", step=step)


def _count(more: float, name: str, words: str, **tags: str) -> None:
    """Add to a counter; 0, which a batch of rejects alone comes to, is skipped because Ray refuses
    it."""
    if more:
        _counter(name, words, *tags).inc(more, tags)


@cache
def _counter(name: str, words: str, *tags: str) -> Counter:
    return Counter(f"simsearch_{name}", words, tags)


@cache
def _gauge(name: str, words: str) -> Gauge:
    return Gauge(f"simsearch_{name}", words, ("step",))
