"""What a run tells Prometheus while it is going, through the metrics agent of each Ray node.

Ray puts `ray_` before each name and adds the node (`NodeAddress`) and the process (`WorkerId`) that a
figure comes from. Whoever calls this is connected to Ray.
"""

from __future__ import annotations

from functools import cache

from ray.util.metrics import Counter, Gauge


def decoded(artworks: int, images: int, size: int) -> None:
    """So many artworks' images, `size` bytes in all, became `images`, originals and copies."""
    _counter("artworks_total", "Artworks whose image was read and decoded").inc(artworks)
    _counter("images_total", "Images made ready for the networks, copies included").inc(images)
    _counter("bytes_total", "Bytes of images read and of vectors written", "direction").inc(
        size, {"direction": "read"}
    )


def rejected(stage: str, reason: str) -> None:
    """An artwork's image was refused; both words as in schemas.REJECTS."""
    _counter("rejects_total", "Artworks refused", "stage", "reason").inc(
        1, {"stage": stage, "reason": reason}
    )


def embedded(space: str, device: str, vectors: int, seconds: float) -> None:
    """A forward pass of one space made so many vectors; seconds of one process."""
    tags = {"space": space, "device": device}
    _counter("vectors_total", "Vectors computed", "space", "device").inc(vectors, tags)
    _counter("embed_seconds_total", "Seconds in forward passes", "space", "device").inc(
        seconds, tags
    )


def written(space: str, vectors: int, size: int) -> None:
    """So many vectors of one space, `size` bytes of float32, are in the store."""
    _counter("vectors_written_total", "Vectors written to the store", "space").inc(
        vectors, {"space": space}
    )
    _counter("bytes_total", "Bytes of images read and of vectors written", "direction").inc(
        size, {"direction": "written"}
    )


def moved(step: str, left: int, still: float) -> None:
    """How much of a step is left, in its own unit, and for how many seconds nothing has moved."""
    _gauge("queue", "What is left of the step that is going, in its unit").set(left, {"step": step})
    _gauge("stalled_seconds", "Seconds since the step last moved").set(still, {"step": step})


def stalled(step: str) -> None:
    """Nothing moved for ray.stall_warn seconds."""
    _counter("stalls_total", "Times that a step stood still", "step").inc(1, {"step": step})


@cache
def _counter(name: str, words: str, *tags: str) -> Counter:
    return Counter(f"simsearch_{name}", words, tags)


@cache
def _gauge(name: str, words: str) -> Gauge:
    return Gauge(f"simsearch_{name}", words, ("step",))
